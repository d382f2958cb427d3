select dossier.save_context(:'session', repeat('They buy flour twice a week, and would rather not. ', 40), '{"stage": "won"}');
