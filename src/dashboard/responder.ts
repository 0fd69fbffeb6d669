/** responder: what is answered to each request: the page, its events, and the log's figures as JSON. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { EventStream } from './event-stream.js';
import { isForUs, isFromElsewhere } from './host-check.js';
import { PAGE, POLICY } from './page/page.js';
import type { Watcher } from './watcher.js';

/** Each is a connection that stays. */
const MOST_PAGES = 64;

const HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class Responder {
  readonly #watcher: Watcher;
  readonly #directory: string;
  readonly #host: string;
  readonly #answers: ReadonlyMap<string, Answer>;
  #pages = 0;

  constructor(watcher: Watcher, directory: string, host: string) {
    this.#watcher = watcher;
    this.#directory = directory;
    this.#host = host;
    this.#answers = new Map<string, Answer>([
      ['/', (_, response) => finish(response, 200, 'text/html; charset=utf-8', PAGE)],
      ['/events', (request, response) => this.#events(request, response)],
      ['/stats', (request, response) => void this.#stats(request, response)],
    ]);
  }

  respond(request: IncomingMessage, response: ServerResponse): void {
    // Who has gone before the answer does not get it; that is all.
    response.on('error', () => {});
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (!isForUs(request, this.#host)) {
      refuse(
        response,
        403,
        'This host name is not served: use a loopback name, or give the name as option "host".',
      );
      return;
    }
    const [path = ''] = (request.url ?? '').split('?');
    const answer = this.#answers.get(path);
    if (answer === undefined) refuse(response, 404, 'There is nothing here but /, /events and /stats.');
    else if (request.method !== 'GET') {
      response.setHeader('Allow', 'GET');
      refuse(response, 405, 'Only GET: this page takes no commands.');
    } else answer(request, response);
  }

  #events(request: IncomingMessage, response: ServerResponse): void {
    if (isFromElsewhere(request)) refuse(response, 403, 'Only for pages of this server.');
    // Its turn has not come: there is an answer before it on its connection. When that goes, nothing would tell of this one.
    else if (response.socket === null) refuse(response, 503, 'One after the other on a connection.');
    else if (this.#pages >= MOST_PAGES) refuse(response, 503, `There are ${MOST_PAGES} pages open already.`);
    else {
      this.#pages++;
      response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
      const stream = new EventStream(response, () => this.#watcher.history);
      const leave = this.#watcher.watch((update) => stream.update(update));
      response.on('close', () => {
        this.#pages--;
        leave();
      });
    }
  }

  async #stats(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (isFromElsewhere(request)) {
      refuse(response, 403, 'Only for pages of this server.');
      return;
    }
    const { update, look } = await this.#watcher.current();
    const { state, code, message, silentMs } = update;
    const { stats = null, segments = [], checkpointLsn = 0 } = look ?? {};
    const answer = {
      directory: this.#directory,
      state,
      code,
      message,
      silentMs,
      checkpointLsn,
      stats,
      segments,
    };
    finish(response, 200, 'application/json; charset=utf-8', `${JSON.stringify(answer)}\n`);
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  finish(response, status, 'text/plain; charset=utf-8', `${text}\n`);
}

function finish(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
