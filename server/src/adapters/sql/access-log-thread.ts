/** The access log's own thread: appends whatever is queued in one transaction, then answers all of it at once. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { RegistryError } from '../../domain/errors.ts';
import type { AccessEntry } from '../../registry/ports.ts';
import { openAccessFile } from './access-file.ts';
import type { Answer, Question } from './access-log.ts';

if (!parentPort) throw new Error('the access log thread has no parent');
const port = parentPort;
const file = openAccessFile(String(workerData));

const failure = (error: unknown): Answer => ({
  kind: 'failed',
  code: error instanceof RegistryError ? error.code : 'internal',
  text: error instanceof Error ? error.message : 'the access log failed',
});

const attempt = (act: () => Answer): Answer => {
  try {
    return act();
  } catch (error) {
    return failure(error);
  }
};

const queued = (first: Question): readonly Question[] => {
  const questions = [first];
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) questions.push(next.message as Question);
  return questions;
};

port.on('message', (first: Question) => {
  const questions = queued(first);
  const entries = questions.flatMap((question): readonly AccessEntry[] => (question.kind === 'append' ? [question.entry] : []));
  const appended = attempt(() => {
    if (entries.length > 0) file.append(entries);
    return { kind: 'appended' };
  });
  const answers = questions.map((question): Answer => {
    if (question.kind === 'entries')
      return attempt(() => ({ kind: 'entries', entries: file.entries(question.before, question.limit) }));
    if (question.kind === 'after')
      return attempt(() => ({ kind: 'entries', entries: file.after(question.id, question.limit, question.now) }));
    return appended;
  });
  port.postMessage(answers);
  if (questions.some(({ kind }) => kind === 'close')) {
    file.close();
    port.close();
  }
});
