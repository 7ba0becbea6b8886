import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkPath } from '../fhir/feature-paths.ts';
import { complaints, EMBEDDED, fixture, folder, loaded, removeFolder, root } from './config.fixture.ts';
import { loadConfig } from './load.ts';

afterAll(removeFolder);

describe('the shipped configuration', () => {
  it('registers openmrs, dhis2 and lims with the mission’s uris, and two shared systems', () => {
    const result = loadConfig({ root, cwd: root, env: {}, flags: {}, checkPath });
    if (result.kind === 'refused') throw new Error(result.complaints.join('\n'));
    expect(result.warnings).toEqual([]);
    expect(result.config.clients.map(({ name, systems }) => [name, systems])).toEqual([
      ['openmrs', ['http://clientregistry.org/openmrs']],
      ['dhis2', ['http://clientregistry.org/dhis2']],
      ['lims', ['http://clientregistry.org/lims']],
    ]);
    expect(result.config.authorities.filter(({ kind }) => kind === 'shared').map(({ uri }) => uri)).toEqual([
      'http://clientregistry.org/nationalid',
      'http://clientregistry.org/artnumber',
    ]);
    expect(result.config.app).toEqual({ port: 3000, host: '0.0.0.0', publicBaseUrl: null, location: 'versioned' });
    expect(result.config.admin).toEqual({ port: 3001, host: '127.0.0.1' });
    expect(result.ruleSet.version).toMatch(/^[0-9a-f]{64}$/);
    expect(result.files.rules).toBe(join(root, 'config', 'decisionRules.json'));
  });

  it('is chosen by NODE_ENV, and never another instead of one that is missing', () => {
    const result = loadConfig({ root, cwd: root, env: { NODE_ENV: 'nowhere' }, flags: {}, checkPath });
    expect(result).toEqual({
      kind: 'refused',
      complaints: ['config/config_nowhere.json does not exist; --config names another file'],
    });
  });
});

describe('the mission’s template, unchanged', () => {
  it('asks for a FHIR server, which is asked about in words', () => {
    expect(complaints(fixture('mission-template'))).toEqual([
      'fhirServer.baseURL: keeping records on a FHIR server is not there yet; set store.type to "embedded" to serve from the embedded store, which begins empty and does not read that server',
    ]);
  });

  it('loads once store.type says "embedded", and each client owns its system', () => {
    const { config, warnings } = loaded(fixture('mission-template'), EMBEDDED);
    expect(config.clients.map(({ name, systems }) => [name, systems])).toEqual([
      ['openmrs', ['http://clientregistry.org/openmrs']],
      ['dhis2', ['http://clientregistry.org/dhis2']],
      ['lims', ['http://clientregistry.org/lims']],
    ]);
    expect(config.systems.brokenMatch).toBe('http://ihris.org/CR/brokenMatch');
    expect(config.app.location).toBe('opencr');
    expect(warnings.map((warning) => warning.split(':')[0])).toEqual([
      'app.installed',
      'mediator.api',
      'fhirServer',
      'elastic',
      'matching.tool',
      'structureDefinition',
      'sync',
      'mediator.api.password',
      'fhirServer.password',
    ]);
  });
});

describe('the OpenCR 1.x configuration, unchanged', () => {
  it('asks for a FHIR server and Elasticsearch, and hears of both', () => {
    expect(complaints(fixture('opencr-1x')).map((text) => text.split(':')[0])).toEqual(['fhirServer.baseURL', 'matching.tool']);
  });

  it('loads once store.type says "embedded": internal ids of every client, shared national ids', () => {
    const { config, warnings } = loaded(fixture('opencr-1x'), EMBEDDED);
    expect(config.clients.map(({ name, displayName, systems }) => [name, displayName, systems])).toEqual([
      ['openmrs', 'OpenMRS', []],
      ['dhis2', 'DHIS2', []],
      ['lims', 'LIMS', []],
      ['cr', 'Client Registry', []],
    ]);
    expect(config.authorities.map(({ uri, kind, owner }) => [uri, kind, owner])).toEqual([
      ['http://health.go.ug/cr/natioanlid', 'shared', null],
      ['http://health.go.ug/cr/artnumber', 'shared', null],
      ['http://health.go.ug/cr/internalid', 'source', null],
      ['http://openmrs.org/openmrs2', 'source', null],
      ['http://clientregistry.org/openmrs', 'source', null],
      ['http://clientregistry.org/dhis2', 'source', null],
      ['http://clientregistry.org/lims', 'source', null],
    ]);
    expect(config.app.location).toBe('opencr');
    expect(warnings).toContain('auth.secret: is published with OpenCR 1.x, and never used');
    expect(warnings.filter((warning) => warning.includes('has no effect'))).toHaveLength(12);
  });

  it('keeps 1.x’s Location only where nothing else is said', () => {
    const env = { ...EMBEDDED.env, app__location: 'versioned' };
    expect(loaded(fixture('opencr-1x'), { env }).config.app.location).toBe('versioned');
  });
});

describe('precedence', () => {
  const document = { app: { port: 4000 }, admin: { port: 4001 } };

  it('the environment beats the file, the command line beats the environment', () => {
    const env = { app__port: '5000' };
    expect(loaded(document).config.app.port).toBe(4000);
    expect(loaded(document, { env }).config.app.port).toBe(5000);
    const { config, sources } = loaded(document, { env, flags: { port: '6000', adminPort: '6001' } });
    expect([config.app.port, config.admin.port]).toEqual([6000, 6001]);
    expect(sources).toEqual({ 'app.port': '--port', 'admin.port': '--admin-port' });
  });

  it('rules come from --rules, else from the configuration, else from config/decisionRules.json', () => {
    const rules = { gender: { algorithm: 'exact', path: 'gender' } };
    const { ruleSet } = loaded({ rules });
    expect(ruleSet.rules).toMatchObject([{ comparisons: [{ name: 'gender' }] }]);
    const given = loaded({ rules }, { flags: { rules: 'config/mission-rules.json' } });
    expect(given.files.rules).toBe(join(root, 'config', 'mission-rules.json'));
    expect(given.ruleSet.rules[0]?.comparisons).toHaveLength(3);
    expect(loaded({}).files.rules).toBe(join(root, 'config', 'decisionRules.json'));
  });
});

describe('the environment', () => {
  it('is typed by the schema: false is false, numbers are numbers, lists are JSON or separated by commas', () => {
    const env = {
      mediator__register: 'false',
      pix__includeSource: 'true',
      limits__bodyBytes: '1024',
      systems__internalid__uri: 'http://a.org, http://b.org',
      systems__lims__uri: '["http://c.org"]',
      clients: 'not ours, since it has no __',
      clients__0: 'x',
    };
    expect(complaints({}, { env })).toEqual(['clients: must be a list']);
    const { config } = loaded({}, { env: { ...env, clients__0: undefined } });
    expect(config.pix.includeSource).toBe(true);
    expect(config.limits.bodyBytes).toBe(1024);
    expect(config.authorities.map(({ uri, owner }) => [uri, owner])).toEqual([
      ['http://c.org', 'lims'],
      ['http://a.org', null],
      ['http://b.org', null],
    ]);
  });

  it('of other programs is left alone, also where its names look like ours', () => {
    const env = {
      PATH: '/bin',
      npm_config__x: '1',
      APP__PORT: '1',
      app_port: '2',
      store: 'x',
      __comments: 'y',
      MY__app__port: '3',
    };
    expect(loaded({}, { env }).sources).toEqual({});
  });

  it('reaches no prototype', () => {
    const before = Object.keys(Object.prototype);
    complaints({}, { env: { app____proto____polluted: 'x', systems__constructor__prototype: 'x' } });
    complaints(
      '{"__proto__": {"polluted": 1}, "app": {"__proto__": {"polluted": 1}}, "systems": {"__proto__": {"uri": "http://a.org"}}}',
    );
    expect(Object.keys(Object.prototype)).toEqual(before);
    expect(Object.hasOwn(Object, 'polluted')).toBe(false);
  });
});

describe('files named in the configuration', () => {
  it('are found from the folder of the configuration', () => {
    const tls = {
      mode: 'list',
      certFile: 'a.pem',
      keyFile: '/b.pem',
      clients: [{ client: 'lims', fingerprint: 'AB:'.repeat(31) + 'AB' }],
    };
    expect(loaded({ tls }).config.tls).toEqual({
      mode: 'list',
      caFile: null,
      certFile: join(folder, 'a.pem'),
      keyFile: '/b.pem',
      clients: [{ client: 'lims', fingerprint: 'ab'.repeat(32), file: null }],
    });
  });
});

describe('the doors beside mutual TLS', () => {
  it('are closed until they are configured', () => {
    const { config } = loaded({});
    expect([config.tokens, config.basic, config.cors]).toEqual([{ issuers: [] }, { enabled: false }, { origins: [] }]);
    const origins = ['https://app.example.org', 'http://localhost:8080'];
    expect(loaded({}, { env: { cors__origins: origins.join(',') } }).config.cors).toEqual({ origins });
    expect(loaded({}, { env: { basic__enabled: 'true' } }).config.basic).toEqual({ enabled: true });
  });

  it('take an issuer of another host over https only, of this machine also over http; its file is found from here', () => {
    const issuers = [
      { issuer: 'https://id.example.org/realms/care', audience: 'opencr', caFile: 'ca.pem', scopes: { feed: ['ITI-104'] } },
      { issuer: 'http://127.0.0.1:8080/realms/care', audience: ['a', 'b'], jwksUri: 'http://localhost:8080/keys' },
    ];
    const [far, near] = loaded({ tokens: { issuers } }).config.tokens.issuers;
    expect(far).toEqual({
      issuer: 'https://id.example.org/realms/care',
      audience: ['opencr'],
      jwksUri: null,
      caFile: join(folder, 'ca.pem'),
      clientClaim: null,
      scopes: { feed: ['ITI-104'] },
      requireCertificateBinding: false,
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    });
    expect(near).toMatchObject({ audience: ['a', 'b'], jwksUri: 'http://localhost:8080/keys', caFile: null });
  });
});
