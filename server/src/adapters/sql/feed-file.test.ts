import { expect, test } from 'vitest';
import { dataFolder } from '../../../test/support/data-folder.ts';
import { openAccessLogHere } from './access-log.ts';
import { inspectFeed, openFeedFile } from './feed-file.ts';

test('how far each repository has come, and what it refused, is there after a restart', () => {
  const dir = dataFolder();
  const first = openFeedFile(dir);
  expect([first.read('a'), first.aside('a')]).toEqual([undefined, 0]);
  first.save('a', { sequence: 1, access: 2 }, []);
  first.save('b', { sequence: 7, access: 8 }, []);
  const why = 'it answered with 422';
  first.save('a', { sequence: 3, access: 4 }, [
    { event: 'change-3-1', why },
    { event: 'access-4-1', why },
  ]);
  // Sent again after a crash, refused again: it is the same event.
  first.save('a', { sequence: 3, access: 5 }, [{ event: 'access-4-1', why }]);
  first.close();
  const second = openFeedFile(dir);
  expect([second.read('a'), second.read('b')]).toEqual([
    { sequence: 3, access: 5 },
    { sequence: 7, access: 8 },
  ]);
  expect([second.aside('a'), second.aside('b')]).toEqual([2, 0]);
  second.close();
});

test('doctor reads beside it, and finds nothing where nothing was sent', async () => {
  const dir = dataFolder();
  expect(inspectFeed(dir, 'a')).toBeUndefined();
  const feed = openFeedFile(dir);
  const log = openAccessLogHere(dir);
  expect(inspectFeed(dir, 'a')).toBeUndefined();
  feed.save('a', { sequence: 3, access: 0 }, [{ event: 'change-3-1', why: 'x' }]);
  const entry = { at: '2026-01-01T00:00:00.000Z', event: 'read', agent: 'a', address: '', requestId: '', status: 200, query: '' };
  await log.append({ ...entry, patients: [], code: '', count: 1 });
  expect(inspectFeed(dir, 'a')).toEqual({ cursor: { sequence: 3, access: 0 }, aside: 1, access: 1 });
  expect(inspectFeed(dir, 'b')).toBeUndefined();
  feed.close();
  await log.close();
});
