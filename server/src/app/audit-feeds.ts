import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { fhirRepository } from '../adapters/atna/fhir-repository.ts';
import { type ClientTls, syslogRepository } from '../adapters/atna/syslog-repository.ts';
import { inspectFeed, openFeedFile } from '../adapters/sql/feed-file.ts';
import type { AuditRepositoryConfig } from '../config/config.ts';
import { type Issue, RegistryError } from '../domain/errors.ts';
import { type AuditFeed, type Behind, FEED_TIMES, type FeedTimes, startAuditFeed } from '../registry/audit-feed.ts';
import type { TrailSources } from '../registry/audit-trail.ts';
import type { AuditRepository } from '../registry/ports.ts';
import { systemClock } from './clock.ts';

/** Milliseconds that the end of the process waits for what is not sent yet. */
const AT_THE_END = 5_000;

/** Reports of single events that were set aside, of one repository in a minute. */
const ASIDE_A_MINUTE = 10;

export interface AuditFeeds {
  /** The trail has moved. */
  moved(): void;
  /** How far behind each repository is, and what it refused. */
  behind(): Promise<readonly (Behind & { readonly repository: string; readonly aside: number })[]>;
  close(): Promise<void>;
}

/** @throws RegistryError `not-found` that names the file. */
const read = (path: string, { name }: AuditRepositoryConfig): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new RegistryError('not-found', `The file ${path} of the audit repository ${name} cannot be read.`, { cause: error });
  }
};

function tlsOf(repository: AuditRepositoryConfig): ClientTls {
  const { caFile, certFile, keyFile, keyPassphrase } = repository.tls;
  return {
    ...(caFile !== null && { ca: read(caFile, repository) }),
    ...(certFile !== null && { cert: read(certFile, repository) }),
    ...(keyFile !== null && { key: read(keyFile, repository) }),
    ...(keyPassphrase !== null && { passphrase: keyPassphrase }),
  };
}

const repositoryOf = (config: AuditRepositoryConfig): AuditRepository =>
  config.kind === 'syslog'
    ? syslogRepository({ ...config, tls: tlsOf(config) })
    : fhirRepository({ ...config, tls: tlsOf(config) });

const sleep = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  setTimeout(milliseconds, undefined, { signal }).catch(() => undefined);

/** Each event that is set aside is said, past the tenth in a minute their number. */
function asideReporter(log: Logger, repository: string) {
  let [minute, count] = [0, 0];
  return (event: string, why: string): void => {
    const now = Math.floor(systemClock.monotonic() / 60_000);
    if (now !== minute) {
      if (count > ASIDE_A_MINUTE) log.warn({ repository, count }, 'so many events were set aside in a minute');
      [minute, count] = [now, 0];
    }
    count += 1;
    if (count <= ASIDE_A_MINUTE)
      log.warn({ repository, event, why }, 'the audit repository refuses this event: it is set aside, and stays in the trail');
  };
}

type Shared = FeedsParts & { readonly cursors: ReturnType<typeof openFeedFile> };

function feedOf(config: AuditRepositoryConfig, repository: AuditRepository, shared: Shared): AuditFeed {
  const { log, trail, cursors, times = FEED_TIMES } = shared;
  const { name, from } = config;
  const aside = asideReporter(log, name);
  return startAuditFeed({
    repository,
    ...{ trail, cursors, from, sleep, times, clock: systemClock },
    report: {
      away: (why, behind) => {
        log.warn({ repository: name, why, behind }, 'the audit repository cannot be reached; what it misses is sent later');
      },
      back: () => {
        log.info({ repository: name }, 'the audit repository is there again');
      },
      setAside: ({ event, why }) => {
        aside(event, why);
      },
    },
  });
}

export interface FeedsParts {
  readonly dataDir: string;
  readonly repositories: readonly AuditRepositoryConfig[];
  readonly trail: TrailSources;
  readonly log: Logger;
  readonly times?: FeedTimes;
}

/** Sends the trail to every repository that is configured. @throws RegistryError `not-found` when a file of one cannot be read. */
export function openAuditFeeds(parts: FeedsParts): AuditFeeds {
  if (parts.repositories.length === 0)
    return { moved: () => undefined, behind: () => Promise.resolve([]), close: () => Promise.resolve() };
  // What cannot be opened is said before anything is.
  const repositories = parts.repositories.map((config) => ({ config, repository: repositoryOf(config) }));
  const cursors = openFeedFile(parts.dataDir);
  const feeds = repositories.map(({ config, repository }) => ({
    name: config.name,
    feed: feedOf(config, repository, { ...parts, cursors }),
  }));
  return {
    moved: () => {
      for (const { feed } of feeds) feed.moved();
    },
    behind: () =>
      Promise.all(
        feeds.map(async ({ name, feed }) => ({ repository: name, ...(await feed.behind()), aside: cursors.aside(name) })),
      ),
    close: async () => {
      await Promise.all(feeds.map(({ feed }) => feed.stop(AT_THE_END)));
      cursors.close();
    },
  };
}

const said = (severity: Issue['severity'], diagnostics: string): Issue => ({ severity, diagnostics });

/** What `doctor` says of each repository; `head` is the ledger's. */
export const inspectFeeds = (dataDir: string, repositories: readonly AuditRepositoryConfig[], head: number): readonly Issue[] =>
  repositories.flatMap((repository): readonly Issue[] => {
    const { name } = repository;
    try {
      tlsOf(repository);
    } catch (error) {
      if (error instanceof RegistryError) return [said('error', error.message)];
      throw error;
    }
    const state = inspectFeed(dataDir, name);
    if (!state) return [said('information', `The audit repository ${name} was never sent anything yet.`)];
    const [changes, rows] = [head - state.cursor.sequence, state.access - state.cursor.access];
    return [
      changes + rows === 0
        ? said('information', `The audit repository ${name} has the whole trail.`)
        : said(
            'warning',
            `The audit repository ${name} lacks ${changes} change sets and ${rows} rows of the access log; they are sent while the server runs.`,
          ),
      ...(state.aside === 0
        ? []
        : [
            said(
              'warning',
              `The audit repository ${name} refused ${state.aside} events; they are in the trail, and listed in audit-feed.sqlite.`,
            ),
          ]),
    ];
  });
