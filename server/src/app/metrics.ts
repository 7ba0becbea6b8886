import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { BatchNews } from './registrar-client.ts';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

interface FeedStanding {
  readonly repository: string;
  readonly ledger: number;
  readonly access: number;
  readonly aside: number;
}

export interface Metrics {
  request(seen: {
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly milliseconds: number;
  }): void;
  submission(status: string): void;
  /** Where the registry stands, at the start and after each batch. */
  stands(where: Pick<BatchNews, 'sequence' | 'records' | 'walBytes'>): void;
  batch(news: BatchNews): void;
  /** How far behind audit repositories are, asked for at each reading. */
  auditFeeds(behind: () => Promise<readonly FeedStanding[]>): void;
  render(): Promise<string>;
  readonly contentType: string;
}

/** Prometheus metrics: counts and times only, no label that names a person or a client. */
export function createMetrics(): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry, prefix: 'opencr_' });
  const requests = new Histogram({
    name: 'opencr_http_request_seconds',
    help: 'Requests at the point-of-service door',
    labelNames: ['route', 'method', 'status'],
    buckets: SECONDS,
    registers,
  });
  const submissions = new Counter({
    name: 'opencr_submissions_total',
    help: 'Commands to the registrar by outcome',
    labelNames: ['outcome'],
    registers,
  });
  const batches = new Histogram({
    name: 'opencr_batch_commands',
    help: 'Commands decided and committed together',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers,
  });
  const decide = new Histogram({
    name: 'opencr_batch_decide_seconds',
    help: 'Time to decide a batch',
    buckets: SECONDS,
    registers,
  });
  const commit = new Histogram({
    name: 'opencr_batch_commit_seconds',
    help: 'Time to commit a batch',
    buckets: SECONDS,
    registers,
  });
  const head = new Gauge({ name: 'opencr_ledger_head', help: 'Sequence of the last change set', registers });
  const records = new Gauge({ name: 'opencr_records', help: 'Source records ever created', registers });
  const wal = new Gauge({ name: 'opencr_store_wal_bytes', help: 'Size of the write-ahead log', registers });
  return {
    stands(where) {
      head.set(where.sequence);
      records.set(where.records);
      wal.set(where.walBytes);
    },
    request({ route, method, status, milliseconds }) {
      requests.observe({ route, method, status }, milliseconds / 1000);
    },
    submission(status) {
      submissions.inc({ outcome: status });
    },
    batch(news) {
      batches.observe(news.report.commands);
      decide.observe(news.report.decideMs / 1000);
      commit.observe(news.report.commitMs / 1000);
    },
    auditFeeds(behind) {
      new Gauge({
        name: 'opencr_audit_feed_set_aside',
        help: 'Events that an audit repository refused',
        labelNames: ['repository'],
        registers,
        async collect() {
          for (const { repository, aside } of await behind()) this.set({ repository }, aside);
        },
      });
      new Gauge({
        name: 'opencr_audit_feed_behind',
        help: 'Rows of the ledger and of the access log that an audit repository is not known to have',
        labelNames: ['repository', 'log'],
        registers,
        async collect() {
          for (const { repository, ledger, access } of await behind()) {
            this.set({ repository, log: 'ledger' }, ledger);
            this.set({ repository, log: 'access' }, access);
          }
        },
      });
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
