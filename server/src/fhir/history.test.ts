import { expect, it } from 'vitest';
import { historyBundle } from './history.ts';
import { anna } from './sample-patients.ts';

it('the history tells each version as the plain action that made it, with its ETag and time', () => {
  const lastUpdated = '2026-01-01T00:00:00.000Z';
  const versions = ['2', '1'].map((versionId) => ({ ...anna, id: 'S1', meta: { versionId, lastUpdated } }));
  const base = 'https://cr.example.org/fhir';
  const { total, link, entry } = historyBundle({
    type: 'Patient',
    base,
    total: 5,
    versions,
    self: `${base}/a`,
    next: `${base}/b`,
  });
  expect([total, link?.map(({ relation }) => relation)]).toEqual([5, ['self', 'next']]);
  expect(entry?.map(({ fullUrl, request, response }) => ({ fullUrl, request, response }))).toEqual([
    {
      fullUrl: `${base}/Patient/S1`,
      request: { method: 'PUT', url: 'Patient/S1' },
      response: { status: '200', etag: 'W/"2"', lastModified: lastUpdated },
    },
    {
      fullUrl: `${base}/Patient/S1`,
      request: { method: 'POST', url: 'Patient' },
      response: { status: '201', etag: 'W/"1"', lastModified: lastUpdated },
    },
  ]);
});
