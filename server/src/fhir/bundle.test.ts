import { describe, expect, it } from 'vitest';
import { bundleResponse, readBundle } from './bundle.ts';
import { defaultBodyLimits } from './limits.ts';
import { operationOutcome } from './outcome.ts';
import { refuse } from './refusal.ts';
import { anna } from './sample-patients.ts';

const post = { resource: anna, request: { method: 'POST', url: 'Patient' } };
const put = (url: string) => ({ resource: { ...anna, id: 'x' }, request: { method: 'PUT', url } });
const bundle = (type: string | undefined, entry: readonly unknown[]) => ({
  resourceType: 'Bundle',
  ...(type && { type }),
  entry,
});

/** What each entry asks for, or the code it is refused with. */
const entries = (value: unknown): readonly unknown[] => {
  const read = readBundle(value);
  if ('code' in read) return [read.code, read.issues[0]?.expression];
  return read.entries.map((entry) =>
    'refusal' in entry
      ? [entry.refusal.code, entry.refusal.issues[0]?.expression]
      : entry.method === 'GET'
        ? entry.url
        : entry.target,
  );
};

describe('a Bundle of Patients', () => {
  it.each([
    [post, { kind: 'none' }],
    [put('Patient/x'), { kind: 'id', id: 'x' }],
    [put('/Patient/x'), { kind: 'id', id: 'x' }],
    [put('Patient?identifier=urn:s|1'), { kind: 'identifier', system: 'urn:s', value: '1' }],
    [put('Patient?identifier=urn:s%7C1'), { kind: 'identifier', system: 'urn:s', value: '1' }],
    [{ resource: anna }, { kind: 'none' }],
  ])('asks by entry: %j', (entry, target) => {
    expect(entries(bundle('batch', [entry]))).toEqual([target]);
  });

  it.each(['collection', undefined])('of type %s is a batch, as 1.x took it', (type) => {
    expect(readBundle(bundle(type, [{ resource: anna }]))).toMatchObject({ type: 'batch', entries: [{ method: 'POST' }] });
  });

  it('TX-09: may be empty', () => {
    expect(readBundle({ resourceType: 'Bundle', type: 'transaction' })).toEqual({ type: 'transaction', entries: [] });
  });

  it('keeps what concurrency and conditions need', () => {
    const request = { url: 'Patient/x', ifMatch: 'W/"3"' };
    const create = { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=a|1' };
    const list = [
      { fullUrl: 'urn:uuid:1', resource: anna, request: { ...request, method: 'PUT' } },
      { request: { ...request, method: 'DELETE' } },
      { resource: anna, request: create },
    ];
    expect(readBundle(bundle('batch', list))).toMatchObject({
      entries: [
        { index: 0, method: 'PUT', fullUrl: 'urn:uuid:1', ifMatch: 'W/"3"', ifNoneExist: null },
        { index: 1, method: 'DELETE', target: { kind: 'id', id: 'x' }, ifMatch: 'W/"3"' },
        { index: 2, method: 'POST', ifNoneExist: 'identifier=a|1' },
      ],
    });
  });

  const wrong: readonly (readonly [unknown, string, string])[] = [
    [{ resource: { resourceType: 'Encounter' } }, 'invalid-structure', 'Bundle.entry[1].resource.resourceType'],
    [{ request: { method: 'POST', url: 'Patient' } }, 'invalid-structure', 'Bundle.entry[1].resource'],
    [{ request: { method: 'PATCH', url: 'Patient/1' } }, 'method-not-allowed', 'Bundle.entry[1].request.method'],
    [{ request: { method: 'DELETE', url: 'Patient' } }, 'invalid-request', 'Bundle.entry[1].request.url'],
    [{ resource: anna, request: { method: 'POST', url: 'Encounter' } }, 'invalid-request', 'Bundle.entry[1].request.url'],
    [{ resource: anna, request: { method: 'POST', url: 'Patient/1' } }, 'invalid-request', 'Bundle.entry[1].request.url'],
    [put('Patient'), 'invalid-request', 'Bundle.entry[1].request.url'],
    [put('Patient/1?identifier=a|1'), 'invalid-request', 'Bundle.entry[1].request.url'],
    [put('Patient/1/_history/2'), 'invalid-request', 'Bundle.entry[1].request.url'],
    [put('Patient/..'), 'invalid-request', 'Bundle.entry[1].request.url'],
    [put('Patient/a_b'), 'invalid-request', 'Bundle.entry[1].request.url'],
    [put(`Patient/${'x'.repeat(65)}`), 'invalid-request', 'Bundle.entry[1].request.url'],
    [put('Patient?family=x'), 'invalid-request', 'Bundle.entry[1]'],
    [{ resource: anna, request: 'POST' }, 'invalid-structure', 'Bundle.entry[1].request'],
    [null, 'invalid-structure', 'Bundle.entry[1]'],
  ];

  it.each(wrong)('TX-01: refuses a wrong entry of a batch alone: %j', (entry, code, expression) => {
    expect(entries(bundle('batch', [post, entry, post]))).toEqual([{ kind: 'none' }, [code, expression], { kind: 'none' }]);
  });

  it.each(wrong)('TX-02: refuses a whole transaction for a wrong entry: %j', (entry, code, expression) => {
    expect(entries(bundle('transaction', [post, entry]))).toEqual([code, expression]);
  });

  it('TX-04: refuses a transaction that names one Patient twice; a batch may', () => {
    const twice = [put('Patient?identifier=a|1'), put('Patient?identifier=a%7C1')];
    expect(entries(bundle('transaction', twice))).toEqual(['invalid-request', 'Bundle.entry[1].request.url']);
    expect(entries(bundle('batch', twice))).toHaveLength(2);
    expect(entries(bundle('transaction', [post, post]))).toHaveLength(2);
  });

  it.each([null, [], { resourceType: 'Patient' }, bundle('document', []), { resourceType: 'Bundle', type: 'batch', entry: {} }])(
    'TX-11: refuses what is no batch or transaction: %j',
    (value) => {
      expect(readBundle(value)).toHaveProperty('code', 'invalid-structure');
    },
  );

  it('refuses more entries than the limit', () => {
    expect(readBundle(bundle('batch', [post, post]), { ...defaultBodyLimits, maxEntries: 1 })).toHaveProperty(
      'code',
      'too-large',
    );
  });
});

it('TX-08: the answer holds each entry’s response in the order asked', () => {
  const outcome = operationOutcome(refuse('business-rule', 'No.'));
  const answer = bundleResponse('batch', [
    { status: '201 Created', location: 'Patient/1/_history/1', etag: 'W/"1"', resource: anna },
    { status: '422', outcome },
  ]);
  expect(answer).toEqual({
    resourceType: 'Bundle',
    type: 'batch-response',
    entry: [
      { resource: anna, response: { status: '201 Created', location: 'Patient/1/_history/1', etag: 'W/"1"' } },
      { response: { status: '422', outcome } },
    ],
  });
});
