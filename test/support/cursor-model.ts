/** cursor-model: where each named cursor may stand after what was asked of it and answered. */
import type { CursorInfo } from '../../dist/src/control/cursor-info.js';

interface Place {
  least: number;
  most: number;
  mayBeAbsent: boolean;
}

export class CursorModel {
  readonly #places = new Map<string, Place>();

  /** What was found is certain now. */
  found(name: string, position: number): void {
    const { least = position, most = position } = this.#places.get(name) ?? {};
    if (position < least || position > most)
      throw new Error(`the cursor ${name} stands at ${position}, not from ${least} to ${most}`);
    // One that was asked for and refused may be on the disk all the same.
    const isMade = most === Number.POSITIVE_INFINITY;
    this.#places.set(name, { least: position, most: isMade ? position : most, mayBeAbsent: false });
  }

  /** It may have been made. */
  making(name: string): void {
    if (this.#places.get(name)?.mayBeAbsent ?? true)
      this.#places.set(name, { least: 0, most: Number.POSITIVE_INFINITY, mayBeAbsent: true });
  }

  moving(name: string, lsn: number): void {
    const place = this.#places.get(name);
    if (place !== undefined) place.most = Math.max(place.most, lsn);
  }

  /** Acknowledged at `position`. One that was asked to be farther before, and refused, may be so on the disk. */
  moved(name: string, position: number): void {
    const most = Math.max(position, this.#places.get(name)?.most ?? position);
    this.#places.set(name, { least: position, most, mayBeAbsent: false });
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
      if (isCertain) place.most = Math.min(place.most, lsn);
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
