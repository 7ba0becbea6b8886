import { at, equal, holds, list, madeId, patient, type Profile, refused, status, textAt } from '../probe.ts';
import { type Asking, SYSTEMS } from '../site.ts';

const SURVIVOR = { identifier: { system: SYSTEMS.a, value: 'survivor' } };

/** IHE PIXm: `$ihe-pix` (ITI-83) and what the CapabilityStatement says of it. */
export const pix: Profile = {
  name: 'PIXm ITI-83',
  rows: ['PIX-83', 'PIX-CS'],
  async run({ ask, base, join }, check) {
    const submit = async (as: 'a' | 'b', value: string) =>
      madeId(await ask('POST', '/fhir/Patient', { as, body: patient(SYSTEMS[as], value) }));
    const [a, b] = [await submit('a', 'pix-a'), await submit('b', 'pix-b')];
    await join(a, b);
    await submit('a', 'pix-alone');
    const pixOf = (query: string, asking: Asking = {}) => ask('GET', `/fhir/Patient/$ihe-pix?${query}`, asking);
    const source = `sourceIdentifier=${SYSTEMS.a}|pix-a`;
    const targets = (body: unknown) =>
      list(body, 'parameter').map((one) => textAt(one, 'valueIdentifier.value') || textAt(one, 'valueReference.reference'));

    await check('PIX-83-01 PIX-83-02 PIX-83-14', async () => {
      const reply = await pixOf(source);
      status(reply, 200);
      equal(reply, 'targets', targets(reply.body).toSorted(), ['pix-b', `Patient/${b}`].toSorted());
    });
    await check('PIX-83-03 PIX-83-04 PIX-83-09', async () => {
      equal(
        'targetSystem',
        'targets',
        targets((await pixOf(`${source}&targetSystem=${SYSTEMS.b}`)).body).includes('pix-b'),
        true,
      );
      const both = await pixOf(`${source}&targetSystem=${SYSTEMS.shared}&targetSystem=${SYSTEMS.b}`);
      holds(both, 'both targets', targets(both.body).includes('pix-b'));
      const none = await pixOf(`${source}&targetSystem=${SYSTEMS.shared}`);
      equal(none, 'status and parameters', [none.status, at(none.body, 'parameter')], [200, undefined]);
    });
    await check('PIX-83-05', async () => refused(await pixOf(`sourceIdentifier=${SYSTEMS.a}|nobody`), 404, 'not-found'));
    await check('PIX-83-06', async () => refused(await pixOf('sourceIdentifier=urn:x-unknown|1'), 400, 'code-invalid'));
    await check('PIX-83-07', async () =>
      refused(await pixOf(`${source}&targetSystem=${SYSTEMS.b}&targetSystem=urn:x-unknown`), 403, 'code-invalid'),
    );
    await check('PIX-83-08', async () => {
      const reply = await pixOf(`sourceIdentifier=${SYSTEMS.a}|pix-alone`);
      equal(reply, 'Parameters without any', reply.body, { resourceType: 'Parameters' });
    });
    await check('PIX-83-11', async () => {
      const secret = [
        { system: SYSTEMS.b, value: 'pix-b' },
        { system: SYSTEMS.shared, value: 'of-b-only' },
      ];
      await ask('PUT', `/fhir/Patient?identifier=${SYSTEMS.b}|pix-b`, {
        as: 'b',
        body: patient(SYSTEMS.b, 'pix-b', { identifier: secret }),
      });
      await join(a, b);
      const reply = await pixOf(source);
      holds(reply, 'the identifier that the asker may see', reply.text.includes('pix-b'));
      holds(reply, 'none that it may not see', !reply.text.includes('of-b-only'));
    });
    await check('PIX-83-12', async () => {
      const reply = await pixOf(source, { headers: { accept: 'application/fhir+xml' } });
      holds(reply, 'Parameters in XML', reply.text.includes('<Parameters') && targets(reply.body).includes('pix-b'));
    });
    await check('PIX-83-13', async () => {
      const reply = await pixOf(source);
      const identifier = list(reply.body, 'parameter').find((one) => at(one, 'name') === 'targetIdentifier');
      equal(reply, 'targetIdentifier', at(identifier, 'valueIdentifier'), {
        system: SYSTEMS.b,
        value: 'pix-b',
        assigner: { display: 'Self-test B' },
      });
    });
    await check('PIX-83-15 PIX-83-16', async () => {
      const reply = await pixOf(`sourceIdentifier=${base}|Patient/${a}`);
      holds(reply, 'the other identifier', targets(reply.body).includes('pix-b'));
      const ids = await pixOf(`${source}&targetSystem=${base}`);
      equal(ids, 'targets', targets(ids.body), [`Patient/${b}`]);
    });
    await check('PIX-83-17 PIX-83-18', async () => {
      for (const query of [
        '',
        'sourceIdentifier=1',
        'sourceIdentifier=|1',
        `sourceIdentifier=${SYSTEMS.a}|`,
        `${source}&${source}`,
      ])
        refused(await pixOf(query), 400);
    });
    await check('PIX-83-19', async () => {
      const parameter = [{ name: 'sourceIdentifier', valueString: `${SYSTEMS.a}|pix-a` }];
      const reply = await ask('POST', '/fhir/Patient/$ihe-pix', { body: { resourceType: 'Parameters', parameter } });
      holds(reply, 'the other identifier', targets(reply.body).includes('pix-b'));
    });
    await check('PIX-83-20', async () => {
      const reply = await pixOf(`${source}&_format=json&_pretty=true`);
      holds(reply, 'the other identifier', targets(reply.body).includes('pix-b'));
    });
    await check('PIX-83-10', async () => {
      const gone = await submit('a', 'pix-gone');
      await ask('DELETE', `/fhir/Patient/${gone}`);
      refused(await pixOf(`sourceIdentifier=${SYSTEMS.a}|pix-gone`), 404);
    });

    const { body } = await ask('GET', '/fhir/metadata');
    const ofPatient = list(body, 'rest.0.resource').find((one) => at(one, 'type') === 'Patient');
    const said = (path: string) => at(ofPatient, path);
    const metadata = 'GET /fhir/metadata';
    await check('PIX-CS-01', async () => equal(metadata, 'fhirVersion', at(body, 'fhirVersion'), '4.0.1'));
    await check('PIX-CS-02', async () => {
      for (const format of ['application/fhir+json', 'application/fhir+xml'])
        holds(metadata, `the format ${format}`, list(body, 'format').includes(format));
    });
    await check('PIX-CS-03', async () =>
      holds(
        metadata,
        'the profile PIXm Patient',
        list(ofPatient, 'supportedProfile').includes('https://profiles.ihe.net/ITI/PIXm/StructureDefinition/IHE.PIXm.Patient'),
      ),
    );
    await check('PIX-CS-04', async () => {
      const codes = list(ofPatient, 'interaction').map((one) => at(one, 'code'));
      for (const code of ['update', 'delete']) holds(metadata, `the interaction ${code}`, codes.includes(code));
    });
    await check('PIX-CS-05', async () =>
      equal(metadata, 'conditions', [said('conditionalCreate'), said('conditionalUpdate')], [true, true]),
    );
    await check('PIX-CS-06', async () => equal(metadata, 'conditionalDelete', said('conditionalDelete'), 'single'));
    await check('PIX-CS-07', async () => {
      const operation = list(ofPatient, 'operation').find((one) => at(one, 'name') === 'ihe-pix');
      equal(
        metadata,
        'definition',
        at(operation, 'definition'),
        'https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix',
      );
    });
    await check('PIX-CS-08', async () =>
      holds(
        metadata,
        'instantiates',
        list(body, 'instantiates').includes('https://profiles.ihe.net/ITI/PIXm/CapabilityStatement/IHE.PIXm.Manager'),
      ),
    );
  },
};

/** IHE PIXm: the feed (ITI-104). */
export const feed: Profile = {
  name: 'PIXm ITI-104',
  rows: ['PIX-104'],
  async run({ ask, join }, check) {
    const put = (value: string, body: object = patient(SYSTEMS.a, value), asking: Asking = {}) =>
      ask('PUT', `/fhir/Patient?identifier=${SYSTEMS.a}|${value}`, { body, ...asking });
    const pixOf = (value: string) => ask('GET', `/fhir/Patient/$ihe-pix?sourceIdentifier=${SYSTEMS.a}|${value}`);

    await check('PIX-104-01 PIX-104-02', async () => {
      const first = await put('feed');
      status(first, 201);
      const second = await put('feed');
      status(second, 200);
      equal(second, 'ETag', second.headers['etag'], 'W/"2"');
      status(await pixOf('feed'), 200);
    });
    await check('PIX-104-04 PIX-104-05 PIX-104-06', async () => {
      const made = await put('feed-id', patient(SYSTEMS.a, 'feed-id', { id: 'self-test-feed' }));
      status(made, 201);
      status(await put('feed-id', patient(SYSTEMS.a, 'feed-id', { id: madeId(made) })), 200);
      refused(await put('feed-id', patient(SYSTEMS.a, 'feed-id', { id: 'another' })), 400);
    });
    await check('PIX-104-08', async () => {
      const body = patient(SYSTEMS.a, 'feed');
      const reply = await ask('PUT', `/fhir/Patient?identifier=${encodeURIComponent(`${SYSTEMS.a}|feed`)}`, { body });
      equal(reply, 'ETag', reply.headers['etag'], 'W/"3"');
    });
    await check('PIX-104-09', async () => refused(await put('feed', patient(SYSTEMS.a, 'unlike')), 400));
    await check('PIX-104-11 PIX-104-15', async () => {
      status(await put('survivor'), 201);
      const body = patient(SYSTEMS.a, 'subsumed');
      const subsumed = madeId(await put('subsumed', body));
      const other = madeId(await ask('POST', '/fhir/Patient', { as: 'b', body: patient(SYSTEMS.b, 'feed-b') }));
      await join(subsumed, other);
      status(await put('subsumed', { ...body, active: false, link: [{ type: 'replaced-by', other: SURVIVOR }] }), 200);
      const read = await ask('GET', `/fhir/Patient/${subsumed}`);
      equal(
        read,
        'active and the type of its link',
        [at(read.body, 'active'), at(read.body, 'link.0.type')],
        [false, 'replaced-by'],
      );
      for (const value of ['subsumed', 'survivor']) {
        const reply = await pixOf(value);
        holds(reply, 'the identifiers of the survivor’s person', reply.text.includes('feed-b'));
      }
    });
    await check('PIX-104-12', async () => {
      const survivor = madeId(await put('survivor-by-id'));
      const body = patient(SYSTEMS.a, 'subsumed-by-id');
      await put('subsumed-by-id', body);
      const link = [{ type: 'replaced-by', other: { reference: `Patient/${survivor}` } }];
      const reply = await put('subsumed-by-id', { ...body, active: false, link });
      status(reply, 200);
      equal(reply, 'link', at(reply.body, 'link.0.other.reference'), `Patient/${survivor}`);
    });
    await check('PIX-104-13', async () => {
      const link = [{ type: 'replaced-by', other: { identifier: { system: SYSTEMS.a, value: 'never-seen' } } }];
      refused(await put('no-survivor', patient(SYSTEMS.a, 'no-survivor', { active: false, link })), 422);
    });
    await check('PIX-104-14', async () => {
      const link = [{ type: 'replaced-by', other: { identifier: { system: SYSTEMS.b, value: 'feed-b' } } }];
      refused(await put('across', patient(SYSTEMS.a, 'across', { active: false, link })), 403);
    });
    await check('PIX-104-16 PIX-104-17', async () => {
      await put('removed');
      const path = `/fhir/Patient?identifier=${SYSTEMS.a}|removed`;
      status(await ask('DELETE', path), 200, 204);
      refused(await pixOf('removed'), 404);
      status(await ask('DELETE', path), 200, 204);
    });
    await check('PIX-104-19', async () => {
      refused(await ask('PUT', `/fhir/Patient?identifier=${SYSTEMS.b}|feed-b`, { body: patient(SYSTEMS.b, 'feed-b') }), 403);
    });
    await check('PIX-104-20', async () =>
      status(await ask('POST', '/fhir/Patient', { body: patient(SYSTEMS.a, 'posted') }), 201),
    );
    await check('PIX-104-21', async () => {
      refused(await ask('PUT', '/fhir/Patient', { body: patient(SYSTEMS.a, 'feed') }), 400);
      refused(await ask('PUT', '/fhir/Patient?identifier=feed', { body: patient(SYSTEMS.a, 'feed') }), 400);
    });
    await check('PIX-104-22', async () => {
      const modifierExtension = [{ url: 'http://example.org/unknown', valueBoolean: true }];
      refused(await put('modifier', patient(SYSTEMS.a, 'modifier', { modifierExtension })), 422);
    });
  },
};
