import type { Bundle, BundleEntry, KeptResource } from './r4.ts';

/** A version of a resource, or that it was deleted in this one. */
export type HistoryVersion =
  KeptResource | { readonly deleted: { readonly id: string; readonly version: number; readonly lastUpdated: string } };

export interface HistoryAnswer {
  readonly base: string;
  readonly type: KeptResource['resourceType'];
  /** All versions there are; null: not counted. */
  readonly total: number | null;
  /** Newest first. */
  readonly versions: readonly HistoryVersion[];
  /** Url of the page shown, and of the next one where there is one. */
  readonly self: string;
  readonly next: string | null;
}

const entryOf = ({ base, type }: HistoryAnswer, version: HistoryVersion): BundleEntry => {
  if ('deleted' in version) {
    const { id, version: number, lastUpdated } = version.deleted;
    return {
      fullUrl: `${base}/${type}/${id}`,
      request: { method: 'DELETE', url: `${type}/${id}` },
      response: { status: '204', etag: `W/"${number}"`, lastModified: lastUpdated },
    };
  }
  const { id = '', meta: { versionId = '', lastUpdated } = {} } = version;
  const created = versionId === '1';
  return {
    fullUrl: `${base}/${type}/${id}`,
    resource: version,
    request: created ? { method: 'POST', url: 'Patient' } : { method: 'PUT', url: `${type}/${id}` },
    response: {
      status: created ? '201' : '200',
      etag: `W/"${versionId}"`,
      ...(lastUpdated !== undefined && { lastModified: lastUpdated }),
    },
  };
};

/** `GET [type]/[id]/_history`, `GET [type]/_history` (R4 http.html#history). A conditional action shows as the plain one: version 1 was created. */
export const historyBundle = (answer: HistoryAnswer): Bundle => {
  const { total, versions, self, next } = answer;
  return {
    resourceType: 'Bundle',
    type: 'history',
    ...(total !== null && { total }),
    link: [{ relation: 'self', url: self }, ...(next === null ? [] : [{ relation: 'next', url: next }])],
    ...(versions.length > 0 && { entry: versions.map((version) => entryOf(answer, version)) }),
  };
};
