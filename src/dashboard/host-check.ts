/** host-check: whether a request was meant for this server, and comes from its own page: against DNS rebinding. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * A name of an attacker may point to this machine, but the browser says in `Host` by which name it came. Loopback names
 * and the given host are good. So is the address itself that the connection came in on, which no name can pass for: a server
 * on all addresses (`0.0.0.0`, `::`) has no other name.
 */
export function isForUs({ headers, socket }: IncomingMessage, host: string): boolean {
  const name = hostName(headers.host ?? '');
  if (name === undefined) return false;
  if (isLoopback(name) || name === host.toLowerCase()) return true;
  const local = socket.localAddress?.replace(/^::ffff:/, '');
  return isIP(name) !== 0 && name === local;
}

/** Another site's page may not even make the log be asked, though it could read nothing. */
export function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** Without the port, which a tunnel may have changed, and without brackets. */
function hostName(host: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@]+))(?::\d+)?$/i.exec(host) ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

export function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
