import { describe, expect, it } from 'vitest';
import { operationOutcome, statusOf } from './outcome.ts';
import { pixAnswer, type PixQuery, pixRefusals, readPix, readPixBody } from './pix.ts';
import type { Refusal } from '../domain/errors.ts';

const read = (query: string): PixQuery | Refusal => readPix(new URLSearchParams(query), (value) => value.split(','));

describe('$ihe-pix reads its question', () => {
  it('PIX-83-04: from a source identifier and any number of target systems', () => {
    expect(read('sourceIdentifier=urn:a|1&targetSystem=urn:b&targetSystem=urn:c&targetSystem=urn:b')).toEqual({
      source: { system: 'urn:a', value: '1' },
      targets: ['urn:b', 'urn:c'],
    });
  });

  it('PIX-83-15: from a logical id with its base', () => {
    expect(read('sourceIdentifier=https://cr.org/fhir|Patient/123')).toMatchObject({
      source: { system: 'https://cr.org/fhir', value: 'Patient/123' },
    });
  });

  it('D2: with target systems joined by commas, as the caller takes them apart', () => {
    expect(read('sourceIdentifier=urn:a|1&targetSystem=urn:b,urn:c')).toMatchObject({ targets: ['urn:b', 'urn:c'] });
  });

  it.each([
    '',
    'sourceIdentifier=',
    'sourceIdentifier=1',
    'sourceIdentifier=|1',
    'sourceIdentifier=urn:a|',
    'sourceIdentifier=urn:a|1&sourceIdentifier=urn:a|2',
  ])('PIX-83-18: and refuses %j', (query) => {
    expect(read(query)).toHaveProperty('code', 'invalid-request');
  });

  it('PIX-83-19: from a Parameters body, in any of the types that senders choose', () => {
    const body = (source: object) => ({
      resourceType: 'Parameters',
      parameter: [
        { name: 'sourceIdentifier', ...source },
        { name: 'targetSystem', valueUri: 'urn:b' },
        { name: '_pretty', valueBoolean: true },
      ],
    });
    const expected = { source: { system: 'urn:a', value: 'x|1' }, targets: ['urn:b'] };
    for (const source of [
      { valueString: 'urn:a|x\\|1' },
      { valueUri: 'urn:a|x|1' },
      { valueIdentifier: { system: 'urn:a', value: 'x|1' } },
    ])
      expect(readPixBody(body(source), (value) => [value])).toEqual(expected);
  });

  it.each([null, {}, { resourceType: 'Parameters', parameter: {} }, { resourceType: 'Parameters', parameter: [1] }])(
    'PIX-83-19: and refuses the body %j',
    (body) => {
      expect(readPixBody(body, (value) => [value])).toHaveProperty('code', 'invalid-structure');
    },
  );

  it('PIX-83-20: whatever harmless parameters come with it', () => {
    expect(read('sourceIdentifier=urn:a|1&_format=json&_pretty=true&x=1')).toMatchObject({ targets: [] });
  });
});

describe('$ihe-pix answers', () => {
  it('PIX-83-13, PIX-83-14: with the identifiers and the id of each record', () => {
    const answer = pixAnswer([
      {
        id: 'S2',
        identifiers: [
          { system: 'urn:b', value: '2', assigner: 'DHIS2' },
          { system: 'urn:n', value: '9', assigner: '' },
        ],
      },
    ]);
    expect(answer.parameter).toEqual([
      { name: 'targetIdentifier', valueIdentifier: { system: 'urn:b', value: '2', assigner: { display: 'DHIS2' } } },
      { name: 'targetIdentifier', valueIdentifier: { system: 'urn:n', value: '9' } },
      { name: 'targetId', valueReference: { reference: 'Patient/S2' } },
    ]);
  });

  it('PIX-83-08: with no parameter when there is nothing to tell', () => {
    expect(pixAnswer([])).toEqual({ resourceType: 'Parameters' });
  });

  it.each([
    ['PIX-83-05', pixRefusals.unknownIdentifier, 404, 'not-found', 'sourceIdentifier Patient Identifier not found'],
    ['PIX-83-06', pixRefusals.unknownAuthority, 400, 'code-invalid', 'sourceIdentifier Assigning Authority not found'],
    ['PIX-83-07', pixRefusals.unknownTarget, 403, 'code-invalid', 'targetSystem not found'],
  ])('%s: failures in the profile’s words', (_id, refusal, status, code, diagnostics) => {
    expect(statusOf(refusal.code)).toBe(status);
    expect(operationOutcome(refusal).issue).toEqual([{ severity: 'error', code, diagnostics }]);
  });
});
