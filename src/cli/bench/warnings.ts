/** warnings: what speaks against a disk, or against figures that were measured on it. */
import type { FileSystem } from './file-system.js';
import type { Figure } from './rounds.js';

/** No usual disk makes a write durable in less. */
const IMPLAUSIBLE_US = 20;
/** Rounds of the same that differ by more are disturbed. */
const DISTURBED = 2;

const MEMORY = new Set(['tmpfs', 'ramfs', 'devtmpfs']);
const NETWORK = /^(nfs|cifs|smb|9p|ceph|gluster|lustre|virtiofs|fuse\.(sshfs|s3fs|gcsfuse|rclone))/;

export function isMemory({ type = '' }: FileSystem): boolean {
  return MEMORY.has(type);
}

/** `syncUs`: of the fastest way. */
export function warningsOf(syncUs: number, figures: readonly Figure[], fileSystem: FileSystem): string[] {
  const { type = '' } = fileSystem;
  if (isMemory(fileSystem)) return [`This is memory (${type}), not a disk: nothing here survives a restart.`];
  const warnings: string[] = [];
  if (syncUs < IMPLAUSIBLE_US)
    warnings.push(
      `A sync in ${syncUs.toFixed(0)} us is implausibly fast. Unless the disk has a cache that survives a power cut, somebody (the disk, a virtual machine) does not wait for the medium, and acknowledged records may not survive one.`,
    );
  if (type === 'overlay')
    warnings.push(
      'This is the writable layer of a container (overlay): it goes with the container. Use a volume.',
    );
  if (NETWORK.test(type))
    warnings.push(
      `This is a network or shared file system (${type}): what a sync means is up to its server.`,
    );
  if (isDisturbed(figures))
    warnings.push(
      'The rounds differ much: something else uses this machine or disk. Measure again when it is idle.',
    );
  return warnings;
}

/** Whether more than a quarter of what was measured differs between its rounds. */
export function isDisturbed(figures: readonly Figure[]): boolean {
  const disturbed = figures.filter(({ slowest, fastest }) => fastest > DISTURBED * slowest);
  return disturbed.length * 4 > figures.length;
}
