// The cost of a worker: started, fed, sandboxed, read and reaped, from a Postgres backend.

import { file, onOwnStack } from './lib/bench.mjs'
import { isNative } from '../tests/e2e/lib/database.mjs'
import { psql } from '../tests/e2e/lib/psql.mjs'

if (!(await isNative())) {
  console.log('Worker: skipped, the database has no native extension')
} else {
  await onOwnStack({ EXTRACT_WORKERS: '0' }, async ({ database }) => {
    const files = { 'one letter of text': Buffer.from('a'), '100 KB of text': file('100kb.txt'), '1 MB DOCX': file('1mb.docx'), '10 MB PDF, one page': file('10mb.pdf') }
    console.log('Worker, from start to end, from a Postgres backend (milliseconds: median of 40)')
    for (const [name, content] of Object.entries(files)) {
      const took = await psql(`
        create temporary table file as select decode('${content.toString('base64')}', 'base64') as content;
        create temporary table took (ms double precision);
        do $$
        declare
          content bytea := (select content from file);
          started timestamptz;
        begin
          for turn in 1..45 loop
            started := clock_timestamp();
            perform dossier.extract_text(content);
            if turn > 5 then
              insert into took values (extract(epoch from clock_timestamp() - started) * 1000);
            end if;
          end loop;
        end
        $$;
        select percentile_cont(0.5) within group (order by ms) from took`, { url: database.url })
      console.log(`  ${name.padEnd(24)} ${Number(took).toFixed(2)}`)
    }
  })
}
