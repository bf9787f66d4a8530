/**
 * Events as they come. Watching begins when it is made, and ends, with all files closed, when the iteration is left, when it is disposed, or when there is nothing to come any more.
 * It can be iterated once. What happens again before it has been read is one event, with the last figures: a slow reader misses no kind of event, and nothing grows.
 */
export interface EventStream<Event> extends AsyncIterableIterator<Event, undefined>, AsyncDisposable {
  return(): Promise<IteratorResult<Event, undefined>>;
}

interface Reader<Event> {
  readonly resolve: (result: IteratorResult<Event, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** Where what is watched puts its events. */
export class EventQueue<Event> implements EventStream<Event> {
  /** What has not been read, by what replaces it. */
  readonly #events = new Map<string, Event>();
  readonly #readers: Reader<Event>[] = [];
  readonly #closers: (() => void)[] = [];
  readonly #cancelSignal: AbortSignal | undefined;
  readonly #isWanted: (event: Event) => boolean;
  #error: { readonly error: Error } | undefined;
  #ended = false;

  constructor(cancelSignal?: AbortSignal, isWanted: (event: Event) => boolean = () => true) {
    cancelSignal?.throwIfAborted();
    this.#isWanted = isWanted;
    this.#cancelSignal = cancelSignal;
    cancelSignal?.addEventListener('abort', this.#cancel, { once: true });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What is to be closed in the end: at once, where that has come already. */
  onClose(close: () => void): void {
    if (this.#ended) close();
    else this.#closers.push(close);
  }

  /** An event takes the place of an unread one of the same key. */
  push(key: string, event: Event): void {
    if (this.#ended || !this.#isWanted(event)) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ value: event, done: false });
    else this.#events.set(key, event);
  }

  /** Nothing more comes. What has not been read can still be. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelSignal?.removeEventListener('abort', this.#cancel);
    for (const close of this.#closers.splice(0).toReversed()) close();
    for (const reader of this.#readers.splice(0)) reader.resolve({ value: undefined, done: true });
  }

  /** Nothing more comes, for this reason. */
  fail(error: unknown): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader) reader.reject(error);
    else this.#error = { error: error as Error };
    this.end();
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    const [first] = this.#events;
    if (first) {
      this.#events.delete(first[0]);
      return Promise.resolve({ value: first[1], done: false });
    }
    if (this.#error) {
      const { error } = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    this.end();
    this.#events.clear();
    this.#error = undefined;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  readonly #cancel = (): void => {
    this.#events.clear();
    this.fail(this.#cancelSignal?.reason);
  };
}
