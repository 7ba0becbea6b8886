import { expect, it } from 'vitest';
import { isLoopback } from './loopback.ts';
import { maskSecrets } from './mask-secrets.ts';

it('shows no secret, whatever holds it, and everything else', () => {
  const shown = maskSecrets({
    app: { port: 3000 },
    auth: { secret: 's' },
    list: [{ Password: 'p', password: '' }, { keyPassphrase: ['a'] }],
    url: 'https://me:pw@host/x',
    mail: 'a@b.org',
    nothing: null,
  });
  expect(shown).toEqual({
    app: { port: 3000 },
    auth: { secret: '***' },
    list: [{ Password: '***', password: '' }, { keyPassphrase: ['***'] }],
    url: 'https://***@host/x',
    mail: 'a@b.org',
    nothing: null,
  });
});

it.each([
  ['http://localhost:8080/fhir', true],
  ['https://127.0.0.53', true],
  ['http://[::1]:9200', true],
  [undefined, true],
  ['', true],
  ['fhir:8080/fhir', false],
  ['not a url', false],
  ['http://fhir:8080', false],
  ['http://localhost.example.org', false],
  ['http://127.0.0.1.example.org', false],
])('%s stays on this machine: %s', (url, stays) => {
  expect(isLoopback(url)).toBe(stays);
});
