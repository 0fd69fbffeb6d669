/** closed-segment: what is known of a segment that has a successor. */

export interface ClosedSegment {
  /** File name in the log directory. */
  readonly name: string;
  readonly number: number;
  readonly epoch: number;
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** Size of the file. */
  readonly fileBytes: number;
  /** LSN of its first record, if it holds any. */
  readonly firstLsn: number;
  /** LSN of its last record; `firstLsn - 1` if it holds none. */
  readonly lastLsn: number;
  /** End of its last group. Bytes behind it mean nothing. */
  readonly end: number;
  /** Offset of the SEAL with its index; 0 when it was not sealed. */
  readonly sealOffset: number;
  /** Where spans may begin that end in it or later (its LINK's open LSN); 0: none. */
  readonly openLsn: number;
  /** Header checksum of the group before its first one. */
  readonly previousChecksum: number;
  /** Header checksum of its last group. */
  readonly lastChecksum: number;
  /** When its successor began, at the latest: microseconds since 1970. Known of segments that recovery found. */
  readonly closedUs?: number;
}
