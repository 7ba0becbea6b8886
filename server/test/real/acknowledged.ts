import { type Connection, header, post, type Response } from './connection.ts';

/** What an answer told its caller: this must be true for ever. */
export interface Acknowledged {
  readonly id: string;
  readonly version: number;
  readonly cruid: string;
}

const acknowledgedBy = (response: Response): Acknowledged => ({
  id: /^Patient\/([^/]+)/.exec(header(response, 'location'))?.[1] ?? '',
  version: Number(/\d+/.exec(header(response, 'etag'))?.[0] ?? NaN),
  cruid: /^Patient\/(.+)$/.exec(header(response, 'locationcruid'))?.[1] ?? '',
});

/** Submits a Patient; rejects when the connection ends first, or when it is not accepted. */
export async function submitOn(connection: Connection, patient: object): Promise<Acknowledged> {
  const response = await connection.send(post('/fhir/Patient', JSON.stringify(patient)));
  if (response.status !== 201) throw new Error(`answered with ${response.status}: ${response.body}`);
  return acknowledgedBy(response);
}
