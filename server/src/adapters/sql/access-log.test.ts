import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import { openAccessLog } from './access-log.ts';

test('an access log whose file cannot be read says so, refuses what is to be logged, and can be closed', async () => {
  const dir = dataFolder();
  writeFileSync(join(dir, 'access.sqlite'), 'this is no database at all'.repeat(400));
  const log = openAccessLog(dir);
  expect((await log.died).message).toContain('The access log cannot go on');
  await expect(log.entries(1, 1)).rejects.toThrow('The access log cannot go on');
  await log.close();
});
