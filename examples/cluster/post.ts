/** post: one request over a connection of its own, so that requests spread over the workers, also over new ones. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export interface Answer {
  readonly directory: string;
  readonly lsn: number;
}

/** A connection that the primary was just passing to a worker that died is never answered, nor closed. */
const TIMEOUT_MS = 2000;

/** Rejects when there is no answer in time, or another one than 200. */
export async function post(url: string, body: string): Promise<Answer> {
  const sent = request(url, { method: 'POST', agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }).end(
    body,
  );
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${text}`);
  return JSON.parse(text) as Answer;
}
