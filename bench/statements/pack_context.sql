select dossier.pack_context(:'session', :'query');
