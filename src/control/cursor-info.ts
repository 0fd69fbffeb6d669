/** cursor-info: a cursor as users of the log are told of it. */

/** A cursor as `cursors()` tells it. */
export interface CursorInfo {
  /** As given to `cursor`. */
  readonly name: string;
  /**
   * The last LSN that the consumer is done with, 0: none; undefined when its file is damaged, or may be left of a cursor
   * that could neither be made nor be removed.
   */
  readonly position: number | undefined;
}
