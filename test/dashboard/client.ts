/** client: a request as any client can make it, with headers that a browser would not let be set, and a page's events. */
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { History, Update } from '../../dist/src/dashboard/update.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

export async function ask(url: string, asked: Asked = {}): Promise<Answer> {
  const response = await open(url, asked);
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

function open(url: string, { method = 'GET', headers = {} }: Asked): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers, agent: false }).on('response', resolve).on('error', reject).end();
  });
}

export type Told =
  | { readonly event: 'history'; readonly data: History }
  | { readonly event: 'update'; readonly data: Update };

/** Events of a page, one after the other; leaving the loop, or the end of the test, closes the page. */
export async function* listen(url: string): AsyncGenerator<Told, void, void> {
  const response = await open(`${url}events`, {});
  onTestFinished(() => void response.destroy());
  let rest = '';
  response.setEncoding('utf8');
  for await (const part of response as AsyncIterable<string>) {
    const blocks = (rest + part).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) } as Told;
    }
  }
}

/** The first update that is as wanted, of a page that is open so long. */
export async function firstUpdate(url: string, isWanted: (update: Update) => boolean): Promise<Update> {
  for await (const { event, data } of listen(url)) {
    const update = event === 'history' ? data.update : data;
    if (isWanted(update)) return update;
  }
  throw new Error('The events ended without it.');
}
