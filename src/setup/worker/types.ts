/** What a step of providing the worker reports; a screen draws it, a log writes it. */
export interface WorkerProgress {
  /** `wait`: another process is building the same worker. */
  readonly phase: 'download' | 'wait' | 'packages' | 'configure' | 'compile';
  /** Units of the phase that are done, of `total`: bytes, packages or objects. Both 0 where not countable. */
  readonly done: number;
  readonly total: number;
  /** Seconds left in the phase, from its speed so far. */
  readonly etaSeconds?: number;
  /** One line for a person, without the figures. */
  readonly message: string;
}

export type OnWorkerProgress = (progress: WorkerProgress) => void;

/** Which worker is wanted and where its parts are. */
export interface WorkerTarget {
  /** mediasoup's version, which is the worker's: the two speak a private protocol. */
  readonly version: string;
  /** Worker sources inside the mediasoup package. */
  readonly sourceDir: string;
  /** CMake project that builds them with distribution packages. */
  readonly projectDir: string;
  /** Where mediasoup's own install script puts its binary. */
  readonly packagedBin: string;
}
