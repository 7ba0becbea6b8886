import { at, equal, found, holds, list, madeId, patient, type Profile, refused, somebody, status, textAt } from '../probe.ts';
import { SYSTEMS } from '../site.ts';

const MAIDEN = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';

/** FHIR R4 search.html, and PDQm's demographics query (ITI-78). */
export const search: Profile = {
  name: 'Search and PDQm ITI-78',
  rows: ['SRCH', 'PDQ-78'],
  async run({ ask, base, mode }, check) {
    const person = somebody();
    const family = person.name[0]?.family ?? '';
    const given = person.name[0]?.given[0] ?? '';
    const { birthDate, gender } = person;
    const [address] = person.address;
    const body = patient(SYSTEMS.a, 'search', {
      ...person,
      identifier: [
        { system: SYSTEMS.a, value: 'search' },
        { system: SYSTEMS.shared, value: 'search, with|all' },
      ],
      name: [{ family: `${family}É`, given: [given] }],
      extension: [{ url: MAIDEN, valueString: `Maiden${family}` }],
    });
    const id = madeId(await ask('POST', '/fhir/Patient', { body }));
    const others: string[] = [];
    for (let n = 0; n < 4; n++) {
      const other = patient(SYSTEMS.a, `search-${n}`, { name: [{ family: `Paged${family}`, given: [String(n)] }] });
      others.push(madeId(await ask('POST', '/fhir/Patient', { body: other })));
    }
    const get = (query: string) => ask('GET', `/fhir/Patient?${query}`);
    const finds = async (query: string, ...ids: readonly string[]): Promise<void> => {
      const reply = await get(query);
      status(reply, 200);
      equal(reply, 'matches', found(reply, 'match').toSorted(), ids.toSorted());
    };
    const enc = encodeURIComponent;

    await check('SRCH-01 SRCH-02 SRCH-03 PDQ-78-07', async () => {
      const reply = await get(`identifier=${SYSTEMS.a}|search`);
      equal(reply, 'type', at(reply.body, 'type'), 'searchset');
      equal(reply, 'total', at(reply.body, 'total'), 1);
      equal(reply, 'fullUrl', at(reply.body, 'entry.0.fullUrl'), `${base}/Patient/${id}`);
      equal(reply, 'search.mode', at(reply.body, 'entry.0.search.mode'), 'match');
      holds(
        reply,
        'a self link',
        list(reply.body, 'link').some((link) => at(link, 'relation') === 'self'),
      );
    });
    await check('SRCH-04', async () => {
      const reply = await get(`family=Paged${family}&_count=0`);
      equal(reply, 'total and entries', [at(reply.body, 'total'), found(reply)], [4, []]);
    });
    await check('SRCH-05', async () => {
      const reply = await get(`family=Paged${family}&_sort=-given`);
      equal(reply, 'matches', found(reply), others.toReversed());
    });
    await check('SRCH-06', async () => {
      const reply = await get(`_id=${id}&_summary=true`);
      equal(reply, 'extension', at(reply.body, 'entry.0.resource.extension'), undefined);
      const counted = await get(`_id=${id}&_summary=count`);
      equal(counted, 'total and entries', [at(counted.body, 'total'), found(counted)], [1, []]);
    });
    await check('SRCH-07', async () => {
      const reply = await get(`_id=${id}&_include=Patient:link`);
      equal(reply, 'included', found(reply, 'include').length, 1);
      const [golden = ''] = found(reply, 'include');
      const back = await get(`_id=${golden}&_revinclude=Patient:link`);
      equal(back, 'included', found(back, 'include'), [id]);
    });
    await check('SRCH-08 PDQ-78-03', async () => {
      await finds(`family=${enc(family.toLowerCase())}`, id);
      await finds(`family=${enc(`${family}E`)}`, id);
      await finds(`family:exact=${enc(`${family}É`)}`, id);
      await finds(`family:exact=${enc(`${family}E`)}`);
      await finds(`family:contains=${enc(family.slice(1))}&given:exact=${enc(given)}`, id);
    });
    await check('SRCH-09 PDQ-78-05', async () => {
      await finds(`identifier=search&family=${family}`, id);
      await finds(`identifier=${SYSTEMS.a}|&family=${family}`, id);
      await finds(`family=${family}&gender=${gender}`, id);
      await finds(`family=${family}&gender:not=${gender}`);
    });
    await check('SRCH-10', async () => {
      for (const query of [
        birthDate,
        `ge${birthDate}`,
        birthDate.slice(0, 7),
        `lt${Number(birthDate.slice(0, 4)) + 1}`,
        `ap${birthDate}`,
      ])
        await finds(`family=${family}&birthdate=${query}`, id);
      await finds(`family=${family}&birthdate=gt${birthDate}`);
    });
    await check('SRCH-11', async () => {
      const golden = found(await get(`_id=${id}&_include=Patient:link`), 'include')[0] ?? '';
      await finds(`link=Patient/${golden}`, id);
      await finds(`link=${base}/Patient/${golden}`, id);
      await finds(`link.identifier=${SYSTEMS.a}|search`, golden);
    });
    await check('SRCH-12', async () => {
      await finds(`family=${family}&address:missing=true`);
      await finds(`family=${family}&death-date:missing=true`, id);
    });
    await check('SRCH-13', async () => finds(`identifier=${enc(`${SYSTEMS.shared}|search\\, with\\|all`)}`, id));
    await check('SRCH-14 PDQ-78-01 PDQ-78-02', async () => {
      await finds(`given=${enc(given)},nobodyhasit&family=${family}`, id);
      await finds(`family=${family}&family=nobodyhasit`);
      await finds(`birthdate=${birthDate}&family=${family}`, id);
    });
    await check('SRCH-15 PDQ-78-16', async () => {
      await finds(`family=${family}&shoesize=44`, id);
      refused(await get('birthdate=yesterday'), 400);
    });
    await check('SRCH-16', async () => finds(`_id=${id},Patient/${others[0]}`, id, others[0] ?? ''));
    await check('SRCH-17', async () => {
      const form = { body: `family=${enc(family)}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } };
      const reply = await ask('POST', `/fhir/Patient/_search?gender=${gender}`, form);
      equal(reply, 'matches', found(reply), [id]);
    });
    await check('SRCH-18', async () => {
      const reply = await ask('GET', `/fhir/Patient?_id=${id}&shoesize=44`, { headers: { prefer: 'handling=lenient' } });
      status(reply, 200);
      const outcomes = list(reply.body, 'entry').filter((entry) => at(entry, 'search.mode') === 'outcome');
      holds(
        reply,
        'an outcome below error',
        outcomes.length === 1 && textAt(outcomes[0], 'resource.issue.0.severity') !== 'error',
      );
    });
    await check('PDQ-78-04', async () => finds(`family=Paged${family}`, ...others));
    await check('PDQ-78-06', async () => {
      const reply = await ask('GET', `/fhir/Patient?_id=${id}`, { headers: { accept: 'application/fhir+xml' } });
      equal(reply, 'content-type', reply.headers['content-type']?.split(';')[0], 'application/fhir+xml');
      equal(reply, 'matches', found(reply), [id]);
    });
    await check('PDQ-78-08', async () => {
      const reply = await get(`family=${family}&identifier=${SYSTEMS.a}|`);
      equal(reply, 'identifiers', at(reply.body, 'entry.0.resource.identifier'), [{ system: SYSTEMS.a, value: 'search' }]);
    });
    await check('PDQ-78-09', async () => {
      const reply = await get(`family=Nobody${family}`);
      equal(
        reply,
        'status, total and entries',
        [reply.status, at(reply.body, 'total'), at(reply.body, 'entry')],
        [200, 0, undefined],
      );
    });
    await check('PDQ-78-10', async () => {
      const reply = await get('identifier=urn:x-nobody-knows|&family=x');
      status(reply, mode === 'strict' ? 404 : 200);
      holds(reply, 'the words "targetSystem not found"', reply.text.includes('targetSystem not found'));
    });
    await check('PDQ-78-11 PDQ-78-18', async () => {
      refused(await get(`_id=${id}&_format=turtle`), 406);
      refused(await ask('GET', `/fhir/Patient/${id}?_format=turtle`), 406);
    });
    await check('PDQ-78-12', async () => {
      const old = patient(SYSTEMS.a, 'deprecated');
      await ask('POST', '/fhir/Patient', { body: old });
      const link = [{ type: 'replaced-by', other: { identifier: { system: SYSTEMS.a, value: 'search' } } }];
      const path = `/fhir/Patient?identifier=${SYSTEMS.a}|deprecated`;
      status(await ask('PUT', path, { body: { ...old, active: false, link } }), 200);
      const reply = await get(`identifier=${SYSTEMS.a}|deprecated`);
      equal(reply, 'active of the match', at(reply.body, 'entry.0.resource.active'), false);
      equal(reply, 'the survivor beside it', found(reply, 'include'), [id]);
    });
    await check('PDQ-78-13', async () => {
      const seen: string[] = [];
      let path: string | undefined = `/fhir/Patient?family=Paged${family}&_count=3`;
      while (path !== undefined) {
        const reply = await ask('GET', path);
        seen.push(...found(reply));
        const next = list(reply.body, 'link').find((link) => at(link, 'relation') === 'next');
        path = next === undefined ? undefined : textAt(next, 'url').slice(base.length - '/fhir'.length);
      }
      equal('paging', 'matches', seen, others);
    });
    await check('PDQ-78-14', async () => {
      const reply = await get(`mothersMaidenName=Maiden${family}`);
      equal(reply, 'extension', at(reply.body, 'entry.0.resource.extension'), [{ url: MAIDEN, valueString: `Maiden${family}` }]);
    });
    await check('PDQ-78-17', async () => {
      status(await ask('GET', `/fhir/Patient/${id}`), 200);
      refused(await ask('GET', '/fhir/Patient/nobody'), 404, 'not-found');
    });
    await check('PDQ-78-01', async () =>
      finds(`address-city=${address?.city ?? ''}&phone=${enc(person.telecom[0]?.value ?? '')}`, id),
    );
  },
};
