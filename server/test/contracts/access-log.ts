import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AccessEntry, AccessLog } from '../../src/registry/ports.ts';

export type OpenAccessLog = AccessLog & { close(): Promise<void>; reopen(): Promise<OpenAccessLog> };

const END = Number.MAX_SAFE_INTEGER;

const read = (parts: Partial<AccessEntry> = {}): AccessEntry => ({
  at: '2026-03-03T10:00:00.000Z',
  event: 'search',
  agent: 'clinicA',
  address: '192.0.2.1',
  requestId: 'request-1',
  status: 200,
  query: 'GET /fhir/Patient?identifier=http://s|አበበ%20"',
  patients: ['record-1', 'golden-1'],
  code: '',
  count: 1,
  ...parts,
});

const refusal = (at: string, parts: Partial<AccessEntry> = {}): AccessEntry =>
  read({ event: 'refusal', status: 403, code: 'forbidden', patients: [], at, ...parts });

/** The law of every access log. */
export const accessLogContract = (name: string, open: (now: () => string) => Promise<OpenAccessLog>): void => {
  describe(`the access log on ${name}`, () => {
    let log: OpenAccessLog;
    let now = '2026-03-03T10:30:00.000Z';
    beforeEach(async () => {
      log = await open(() => now);
    });
    afterEach(() => log.close());

    const counts = async (): Promise<readonly number[]> => (await log.entries(END, 100)).map(({ count }) => count);

    test('an entry is read as it was appended, after a restart too', async () => {
      await log.append(read());
      await log.append(read({ patients: [], agent: '', status: 404 }));
      log = await log.reopen();
      const [newest, oldest] = await log.entries(END, 10);
      expect(oldest).toEqual({ ...read(), id: oldest?.id });
      expect(newest).toMatchObject({ patients: [], agent: '', status: 404 });
    });

    test('an entry says how its caller showed who it is', async () => {
      const proof = { way: 'token', issuer: 'https://issuer.example.org', client: 'clinicA', jti: 'a "jti"' } as const;
      await log.append(read({ proof }));
      await log.append(read());
      log = await log.reopen();
      expect((await log.entries(END, 10)).map((entry) => entry.proof)).toEqual([undefined, proof]);
    });

    test('entries come newest first, in pages', async () => {
      await Promise.all([1, 2, 3, 4, 5].map((n) => log.append(read({ requestId: `r${n}` }))));
      const [first, second] = await log.entries(END, 2);
      expect([first?.requestId, second?.requestId]).toEqual(['r5', 'r4']);
      const rest = await log.entries(second?.id ?? 0, 10);
      expect(rest.map(({ requestId }) => requestId)).toEqual(['r3', 'r2', 'r1']);
    });

    test("a peer's refusals get ten rows a minute; those after are counted in one row more", async () => {
      const minute = '2026-03-03T10:00:';
      await Promise.all(Array.from({ length: 25 }, (_, n) => log.append(refusal(`${minute}${10 + n}.000Z`))));
      expect(await counts()).toEqual([15, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
      await log.append(refusal('2026-03-03T10:01:00.000Z'));
      expect(await counts()).toHaveLength(12);
    });

    test('refusals of another peer, and answers, are not counted together with them', async () => {
      const at = '2026-03-03T10:00:00.000Z';
      for (let n = 0; n < 12; n += 1) await log.append(refusal(at));
      await log.append(refusal(at, { address: '192.0.2.2' }));
      await log.append(read({ at }));
      await log.append(refusal(at));
      expect(await counts()).toEqual([1, 1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    });

    test('entries are read forwards, oldest first, in pages', async () => {
      await Promise.all([1, 2, 3, 4, 5].map((n) => log.append(read({ requestId: `r${n}` }))));
      const [first, second] = await log.after(0, 2);
      expect([first?.requestId, second?.requestId]).toEqual(['r1', 'r2']);
      expect((await log.after(second?.id ?? 0, 10)).map(({ requestId }) => requestId)).toEqual(['r3', 'r4', 'r5']);
      expect(await log.after(1_000, 10)).toEqual([]);
    });

    test('what is read forwards does not change any more: it ends before a row that still counts', async () => {
      now = '2026-03-03T10:00:59.999Z';
      const at = '2026-03-03T10:00:00.000Z';
      for (let n = 0; n < 12; n += 1) await log.append(refusal(at));
      await log.append(read({ at }));
      expect(await log.after(0, 100)).toHaveLength(10);
      now = '2026-03-03T10:01:00.000Z';
      expect((await log.after(0, 100)).map(({ count }) => count)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1]);
      // It came late: its minute was read, so it gets a row of its own.
      await log.append(refusal(at));
      expect((await log.after(12, 100)).map(({ count }) => count)).toEqual([1]);
    });

    test('a closed log takes no entry', async () => {
      await log.close();
      await expect(log.append(read())).rejects.toThrow();
      log = await log.reopen();
    });
  });
};
