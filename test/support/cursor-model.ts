/** cursor-model: where each named cursor may stand after what was asked of it and answered. */
import type { CursorInfo } from '../../dist/src/control/cursor-info.js';

interface Place {
  least: number;
  most: number;
  /** The farthest that was asked for, also where `most` can't tell. */
  asked: number;
  mayBeAbsent: boolean;
}

export class CursorModel {
  readonly #places = new Map<string, Place>();

  /** What was found is certain now. */
  found(name: string, position: number): void {
    const { least = position, most = position, asked = 0 } = this.#places.get(name) ?? {};
    if (position < least || position > most)
      throw new Error(`the cursor ${name} stands at ${position}, not from ${least} to ${most}`);
    // One that was asked for and refused may be on the disk all the same.
    const isMade = most === Number.POSITIVE_INFINITY;
    const farthest = isMade ? Math.max(position, asked) : most;
    this.#places.set(name, { least: position, most: farthest, asked, mayBeAbsent: false });
  }

  /** It may have been made. */
  making(name: string): void {
    const { mayBeAbsent = true, asked = 0 } = this.#places.get(name) ?? {};
    if (mayBeAbsent) this.#places.set(name, { least: 0, most: Number.POSITIVE_INFINITY, asked, mayBeAbsent });
  }

  moving(name: string, lsn: number): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    place.most = Math.max(place.most, lsn);
    place.asked = Math.max(place.asked, lsn);
  }

  /** Acknowledged at `position`. One that was asked to be farther before, and refused, may be so on the disk. */
  moved(name: string, position: number): void {
    const { most = position, asked = 0 } = this.#places.get(name) ?? {};
    this.#places.set(name, { least: position, most: Math.max(position, most), asked, mayBeAbsent: false });
  }

  deleting(name: string): void {
    const place = this.#places.get(name);
    if (place !== undefined) place.mayBeAbsent = true;
  }

  deleted(name: string): void {
    this.#places.delete(name);
  }

  /** The log may have been cut behind `lsn`; or was. */
  cut(lsn: number, isCertain: boolean): void {
    for (const place of this.#places.values()) {
      place.least = Math.min(place.least, lsn);
      if (!isCertain) continue;
      place.most = Math.min(place.most, lsn);
      place.asked = Math.min(place.asked, lsn);
    }
  }

  /** Whether it was made, and nobody has asked for it to be deleted. */
  isCertain(name: string): boolean {
    return this.#places.get(name)?.mayBeAbsent === false;
  }

  fork(): CursorModel {
    const copy = new CursorModel();
    for (const [name, place] of this.#places) copy.#places.set(name, { ...place });
    return copy;
  }

  /** What is wrong with the cursors of a log that was opened without any fault. */
  check(cursors: readonly CursorInfo[]): string[] {
    const problems: string[] = [];
    for (const { name, position } of cursors) {
      const place = this.#places.get(name);
      if (place === undefined) problems.push(`the cursor ${name} was deleted, or never made`);
      else if (position === undefined || position < place.least || position > place.most)
        problems.push(`the cursor ${name} stands at ${position}, not from ${place.least} to ${place.most}`);
    }
    for (const [name, { mayBeAbsent }] of this.#places) {
      if (!mayBeAbsent && !cursors.some((cursor) => cursor.name === name))
        problems.push(`the cursor ${name} is gone`);
    }
    return problems;
  }
}
