select dossier.begin_upload(:'session', 'a.txt', 'text/plain', 1000);
