import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { complaints, folder, load, loaded, removeFolder } from './config.fixture.ts';

afterAll(removeFolder);

const repositories = (...list: readonly object[]) => ({ audit: { repositories: list.map((one) => ({ name: 'a', ...one })) } });

const wrong: readonly (readonly [what: string, document: unknown, complaint: string, env?: Record<string, string>])[] = [
  ['a list', [], 'the configuration: must be an object'],
  ['an unknown section', { storre: {} }, 'storre: is not known; did you mean "store"?'],
  ['an unknown section like no other', { zzzzzzzz: {} }, 'zzzzzzzz: is not known'],
  ['a section of another type', { app: 5 }, 'app: must be an object'],
  ['an unknown key', { app: { prot: 1 } }, 'app.prot: is not known; did you mean "port"?'],
  ['a key in another case', { fhirServer: { baseUrl: '' } }, 'fhirServer.baseUrl: is not known; did you mean "baseURL"?'],
  ['an unknown key of 1.x', { matching: { tools: 'x' } }, 'matching.tools: is not known; did you mean "tool"?'],
  ['a port as text', { app: { port: '3000' } }, 'app.port: must be a number'],
  ['half a port', { app: { port: 30.5 } }, 'app.port: must be a whole number'],
  ['a port too high', { app: { port: 65536 } }, 'app.port: must be at most 65535'],
  ['a port below none', { admin: { port: -1 } }, 'admin.port: must be at least 0'],
  ['no host', { app: { host: '' } }, 'app.host: must not be empty'],
  ['two doors on one port', { app: { port: 3001 }, admin: { port: 3001 } }, 'admin.port: must differ from app.port'],
  ['no port after the last', { app: { port: 65535 } }, 'admin.port: is missing, and app.port + 1 is no port'],
  ['no web address', { app: { publicBaseUrl: 'ftp://x' } }, 'app.publicBaseUrl: must be an http or https URL'],
  ['another location', { app: { location: 'absolute' } }, 'app.location: must be "versioned" or "opencr"'],
  ['another trust', { tls: { mode: 'none' } }, 'tls.mode: must be "ca" or "list"'],
  ['an empty list of trust', { tls: { mode: 'list' } }, 'tls.clients: must not be empty when tls.mode is "list"'],
  ['a certificate without key', { tls: { certFile: 'x' } }, 'tls.keyFile: is missing beside tls.certFile'],
  ['a key without certificate', { tls: { keyFile: 'x' } }, 'tls.certFile: is missing beside tls.keyFile'],
  [
    'half a fingerprint',
    { tls: { clients: [{ client: 'a', fingerprint: 'ab' }] } },
    'tls.clients[0].fingerprint: must be a SHA-256 fingerprint',
  ],
  [
    'a listed client without certificate',
    { tls: { clients: [{ client: 'a' }] } },
    'tls.clients[0]: must have either fingerprint or file',
  ],
  ['an unknown store', { store: { type: 'sqlite' } }, 'store.type: must be "embedded" or "postgresql" or "fhir"'],
  ['PostgreSQL', { store: { type: 'postgresql' } }, 'store.type: "postgresql" is not there yet; "embedded" is'],
  ['a FHIR server', { store: { type: 'fhir' } }, 'store.type: "fhir" is not there yet'],
  [
    'a FHIR server by its address',
    { fhirServer: { baseURL: 'http://localhost/fhir' } },
    'fhirServer.baseURL: keeping records on a FHIR server is not there yet',
  ],
  ['Elasticsearch', { matching: { tool: 'elasticsearch' } }, 'matching.tool: matching by Elasticsearch is not there yet'],
  ['another tool', { matching: { tool: 'solr' } }, 'matching.tool: must be "mediator" or "elasticsearch"'],
  ['OpenHIM', { mediator: { register: true } }, 'mediator.register: registering with OpenHIM is not there yet'],
  [
    'a public password for another host',
    { fhirServer: { password: 'hapi', baseURL: 'http://fhir:8080/fhir' }, store: { type: 'embedded' } },
    'fhirServer.password: is published with OpenCR 1.x',
  ],
  [
    'OpenHIM’s public password',
    { mediator: { api: { password: 'openhim-password', apiURL: 'https://him.example.org' } } },
    'mediator.api.password: is published',
  ],
  ['a token’s issuer without a name', { tokens: { issuers: [{ audience: 'a' }] } }, 'tokens.issuers[0].issuer: is missing'],
  ['a token’s issuer for nobody', { tokens: { issuers: [{ issuer: 'https://a.org' }] } }, 'tokens.issuers[0].audience: '],
  [
    'a token’s issuer for an empty list',
    { tokens: { issuers: [{ issuer: 'https://a.org', audience: [] }] } },
    'tokens.issuers[0].audience: must',
  ],
  [
    'a token’s issuer on an open line',
    { tokens: { issuers: [{ issuer: 'http://a.org', audience: 'a' }] } },
    'tokens.issuers[0].issuer: must be an https URL without query and user, or an http URL of this machine',
  ],
  [
    'keys on an open line',
    { tokens: { issuers: [{ issuer: 'https://a.org', audience: 'a', jwksUri: 'http://a.org/keys' }] } },
    'tokens.issuers[0].jwksUri: must be an https URL',
  ],
  [
    'tokens that nobody signs',
    { tokens: { issuers: [{ issuer: 'https://a.org', audience: 'a', algorithms: ['none'] }] } },
    'tokens.issuers[0].algorithms[0]: must be "RS256" or ',
  ],
  [
    'tokens signed with a shared secret',
    { tokens: { issuers: [{ issuer: 'https://a.org', audience: 'a', algorithms: ['HS256'] }] } },
    'tokens.issuers[0].algorithms[0]: must be "RS256" or ',
  ],
  [
    'a scope that stands for nothing known',
    { tokens: { issuers: [{ issuer: 'https://a.org', audience: 'a', scopes: { x: ['ITI-105'] } }] } },
    'tokens.issuers[0].scopes.x[0]: must be "ITI-78" or ',
  ],
  [
    'one issuer twice',
    {
      tokens: {
        issuers: [
          { issuer: 'https://a.org', audience: 'a' },
          { issuer: 'https://a.org', audience: 'b' },
        ],
      },
    },
    'tokens.issuers[1].issuer: stands in the list already',
  ],
  ['a misspelt issuer', { tokens: { issuer: [] } }, 'tokens.issuer: is not known; did you mean "issuers"?'],
  ['pages of everywhere', { cors: { origins: ['*'] } }, 'cors.origins[0]: must be an origin as browsers send it'],
  ['pages of an unknown place', { cors: { origins: ['null'] } }, 'cors.origins[0]: must be an origin'],
  ['an origin with a path', { cors: { origins: ['https://a.org/'] } }, 'cors.origins[0]: must be an origin'],
  ['an origin as no browser writes it', { cors: { origins: ['https://A.org:443'] } }, 'cors.origins[0]: must be an origin'],
  ['an origin that others can change on the way', { cors: { origins: ['http://a.org'] } }, 'cors.origins[0]: must be an origin'],
  ['a login that is perhaps open', { basic: { enabled: 'yes' } }, 'basic.enabled: must be true or false'],
  ['no space for anything', { limits: { bodyBytes: 0 } }, 'limits.bodyBytes: must be at least 1'],
  ['a limit of another name', { limits: { bodybytes: 1 } }, 'limits.bodybytes: is not known; did you mean "bodyBytes"?'],
  ['an audit repository without name', { audit: { repositories: [{ kind: 'fhir' }] } }, 'audit.repositories[0].name: is missing'],
  ['another audit repository', repositories({ kind: 'kafka' }), 'audit.repositories[0].kind: must be "syslog" or "fhir"'],
  ['a syslog repository without host', repositories({ kind: 'syslog' }), 'audit.repositories[0].host: is missing'],
  [
    'a syslog repository by URL',
    repositories({ kind: 'syslog', host: 'a', url: 'https://a' }),
    'audit.repositories[0].url: is for kind "fhir"',
  ],
  [
    'a syslog repository with Bundles',
    repositories({ kind: 'syslog', host: 'a', bundle: 1 }),
    'audit.repositories[0].bundle: is for kind "fhir"',
  ],
  [
    'a host that is a URL',
    repositories({ kind: 'syslog', host: 'https://a' }),
    'audit.repositories[0].host: must be a host name',
  ],
  ['a FHIR repository without URL', repositories({ kind: 'fhir' }), 'audit.repositories[0].url: is missing'],
  [
    'a FHIR repository by host',
    repositories({ kind: 'fhir', url: 'https://a', host: 'a' }),
    'audit.repositories[0].host: is for kind "syslog"',
  ],
  [
    'a FHIR repository by port',
    repositories({ kind: 'fhir', url: 'https://a', port: 1 }),
    'audit.repositories[0].port: is for kind "syslog"',
  ],
  [
    'a FHIR repository without TLS',
    repositories({ kind: 'fhir', url: 'http://a.example.org/fhir' }),
    'audit.repositories[0].url: must be https',
  ],
  [
    'a password in a URL',
    repositories({ kind: 'fhir', url: 'https://me:pw@a.org' }),
    'audit.repositories[0].url: must hold no user',
  ],
  [
    'a repository’s certificate without key',
    repositories({ kind: 'fhir', url: 'https://a', certFile: 'x' }),
    'audit.repositories[0].keyFile: is missing',
  ],
  [
    'a repository’s key without certificate',
    repositories({ kind: 'fhir', url: 'https://a', keyFile: 'x' }),
    'audit.repositories[0].certFile: is missing',
  ],
  [
    'a passphrase of no key',
    repositories({ kind: 'fhir', url: 'https://a', keyPassphrase: 'x' }),
    'audit.repositories[0].keyFile: is missing beside',
  ],
  [
    'two repositories of one name',
    repositories({ kind: 'fhir', url: 'https://a' }, { kind: 'fhir', url: 'https://b' }),
    'audit.repositories[1].name: a is listed twice',
  ],
  ['another mode', { authorities: { mode: 'lax' } }, 'authorities.mode: must be "open" or "strict"'],
  ['an authority without kind', { authorities: { list: [{ uri: 'http://a.org' }] } }, 'authorities.list[0].kind: is missing'],
  ['an authority without uri', { authorities: { list: [{ kind: 'source' }] } }, 'authorities.list[0].uri: is missing'],
  [
    'a uri with a bar',
    { authorities: { list: [{ kind: 'source', uri: 'http://a.org|1' }] } },
    'authorities.list[0].uri: must be a URI',
  ],
  [
    'an owned shared authority',
    { authorities: { list: [{ kind: 'shared', uri: 'a:b', owner: 'lims' }] } },
    'authorities.list[0].owner: a shared authority has no owner',
  ],
  ['a client without id', { clients: [{ displayName: 'x' }] }, 'clients[0].id: is missing'],
  ['a client with a blank', { clients: [{ id: 'open mrs' }] }, 'clients[0].id: must be a certificate CN'],
  ['a client twice', { clients: [{ id: 'a' }, { id: 'a' }] }, 'clients[1].id: a is listed twice'],
  ['an unknown scope', { clients: [{ id: 'a', scopes: ['admin'] }] }, 'clients[0].scopes[0]: must be "audit" or "demographics"'],
  [
    'one system of two clients',
    {
      clients: [
        { id: 'a', systems: ['u:x'] },
        { id: 'b', systems: ['u:x'] },
      ],
    },
    'clients[1].systems: makes u:x a source of b, but clients[0].systems makes it a source of a',
  ],
  [
    'a system without uri',
    { systems: { nationalid: { displayName: 'x' } } },
    'systems.nationalid.uri: must be a URI or a list of URIs',
  ],
  [
    'a uri that is none',
    { systems: { internalid: { uri: ['a b'] } } },
    'systems.internalid.uri[0]: must be a URI, without blanks',
  ],
  [
    'a national id that is a source',
    { clients: [{ id: 'a', systems: ['u:n'] }], systems: { nationalid: { uri: 'u:n' } } },
    'systems.nationalid.uri: makes u:n shared',
  ],
  ['a switch as text', { pix: { includeSource: 'yes' } }, 'pix.includeSource: must be true or false'],
  ['another level', { log: { level: 'verbose' } }, 'log.level: must be "fatal" or'],
  ['wrong rules inside', { rules: [{ fields: {} }] }, 'rules[0].fields: must name at least one field'],
  ['a number in the environment that is none', {}, 'app.port: must be a number (environment app__port)', { app__port: 'x' }],
  ['an empty number', {}, 'limits.nesting: must be a number (environment limits__nesting)', { limits__nesting: '' }],
  [
    'a switch that is neither',
    {},
    'mediator.register: must be true or false (environment mediator__register)',
    { mediator__register: '1' },
  ],
  [
    'an unknown name in the environment',
    {},
    'app.prot: is not known; did you mean "port"? (environment app__prot)',
    { app__prot: '1' },
  ],
  ['a list that is no JSON', {}, 'tls.clients: must be a list (environment tls__clients)', { tls__clients: '[' }],
  [
    'one bad entry of a list',
    {},
    'authorities.list[0].kind: must be "source" or "shared" (environment authorities__list)',
    { authorities__list: '[{"uri":"a:b","kind":"x"}]' },
  ],
];

describe('wrong configurations', () => {
  for (const [what, document, complaint, env] of wrong) {
    it(`${what}: one complaint that names the field`, () => {
      const found = complaints(document, { env: env ?? {} });
      expect(found.filter((text) => text.includes(complaint))).toHaveLength(1);
    });
  }

  it('are complained about all at once, the rules among them', () => {
    const found = complaints({
      app: { port: 'x' },
      tls: { mode: 'list' },
      clients: [{}],
      mediator: { register: true },
      rules: 5,
    });
    expect(found.map((text) => text.replace(/^[^ ]*\.json: /, '').split(':')[0])).toEqual([
      'app.port',
      'clients[0].id',
      'mediator.register',
      'tls.clients',
      'rules',
    ]);
  });

  it('do not accuse a FHIR server while store.type itself is misspelt', () => {
    expect(complaints({ store: { type: 'embeded' }, fhirServer: { baseURL: 'http://localhost' } })).toHaveLength(1);
  });

  it('never show a value: it may be a secret', () => {
    const secret = 'correct-horse';
    const document = { auth: { secret: [secret] }, fhirServer: { password: { [secret]: 1 } }, app: { port: secret } };
    expect(complaints(document).join()).not.toContain(secret);
    expect(complaints(`{"auth": {"secret": "${secret}" nonsense}}`).join()).not.toContain(secret);
  });
});

describe('any configuration', () => {
  const section = fc.constantFrom(
    'app',
    'tls',
    'limits',
    'authorities',
    'clients',
    'systems',
    'mediator',
    'auth',
    'rules',
    '__proto__',
  );
  const text = fc.oneof(fc.string(), fc.json());

  it('is loaded or complained about, whatever the JSON and the environment', () => {
    fc.assert(
      fc.property(
        fc.dictionary(section, fc.jsonValue()),
        fc.dictionary(
          section.map((name) => `${name}__uri`),
          text,
        ),
        (document, env) => {
          expect(['loaded', 'refused']).toContain(load(document, { env }).kind);
        },
      ),
    );
  });
});

describe('files that cannot be read', () => {
  it.each([
    ['nothing', '', 'line 1, column 1'],
    ['an end too early', '{\n"app": {', 'line 2'],
    ['a comma too many', '{\n "app": {},\n}', 'line 3, column 1'],
    ['a comment', '{\n  // ports\n "app": {} }', 'line 2, column 3; comments are not allowed'],
  ])('%s: the line', (_what, text, place) => {
    const found = complaints(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/is not valid JSON at/);
    expect(found[0]).toContain(place);
  });

  it('a key given twice: its place, since only the last would count', () => {
    expect(complaints('{ "app": { "port": 3000, "host": "::", "port": 3001 } }')).toEqual([
      expect.stringMatching(/: A key that is given twice at app\.port\.$/),
    ]);
  });

  it('a byte order mark is no fault', () => {
    expect(loaded('\uFEFF{"app": {"port": 4000}}').config.app.port).toBe(4000);
  });

  it('a file that does not exist, or is a folder', () => {
    expect(complaints({}, { flags: { config: join(folder, 'none.json') } })).toEqual([
      `${join(folder, 'none.json')} does not exist`,
    ]);
    expect(complaints({}, { flags: { config: folder } })).toEqual([`${folder} cannot be read (EISDIR)`]);
    expect(complaints({}, { flags: { rules: 'config/none.json' } })).toEqual(['config/none.json does not exist']);
  });
});
