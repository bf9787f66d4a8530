import { createConnection, type Socket as Stream } from 'node:net';
import { once, type EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

import { CgroupError } from '../error.js';
import type { Socket } from './running.js';

/** A message, as the library has it. */
interface Message {
  readonly type?: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly destination?: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** What an answer that is an error comes as. */
export interface Refusal {
  /** `org.freedesktop.systemd1.UnitExists` */
  readonly name: string;
  readonly message: string;
}

/** What is used of `@homebridge/dbus-native`. */
interface Library {
  createClient(
    this: void,
    options: { stream: unknown; direct: boolean; authMethods: string[] },
  ): {
    readonly connection: EventEmitter;
    invoke(message: Message, callback: (error: Refusal | Error | null | undefined, ...body: unknown[]) => void): void;
  };
}

const SIGNAL = 4;
const manager = { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.systemd1.Manager' };
const destination = 'org.freedesktop.systemd1';
const bus = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' };

/** An answer of systemd that is an error. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  /** `org.freedesktop.systemd1.UnitExists` */
  readonly reason: string;

  constructor({ name, message }: Refusal) {
    super(message);
    this.reason = name;
  }
}

/**
 * A connection to a manager of systemd. The library is loaded with the first one: nobody else has it in memory.
 *
 * @see https://dbus.freedesktop.org/doc/dbus-specification.html, org.freedesktop.systemd1(5)
 */
export class Connection implements Disposable {
  readonly #stream: Stream;
  readonly #client: ReturnType<Library['createClient']>;
  readonly #cancelSignal: AbortSignal;
  readonly #jobs = new Map<string, string>();
  readonly #waiting = new Set<(error: unknown) => void>();
  #news: () => void = () => undefined;
  #lost: CgroupError | undefined;

  private constructor(stream: Stream, { path, isBus }: Socket, cancelSignal: AbortSignal) {
    const { createClient } = createRequire(import.meta.url)('@homebridge/dbus-native') as Library;
    this.#cancelSignal = cancelSignal;
    this.#stream = stream;
    const lose = (cause?: unknown): void => {
      this.#lost ??= new CgroupError(
        'no-systemd',
        `the connection to systemd by ${path} is lost${cause instanceof Error ? `: ${cause.message}` : ''}. Is it running (systemctl status), and may this user ask it?`,
        { cause },
      );
      for (const reject of this.#waiting) reject(this.#lost);
    };
    stream.once('close', () => lose());
    this.#client = createClient({ stream, direct: !isBus, authMethods: ['EXTERNAL'] });
    this.#client.connection.on('error', lose);
    this.#client.connection.on('message', ({ type, path, interface: of, member, body }: Message) => {
      if (type !== SIGNAL || path !== manager.path || of !== manager.interface || member !== 'JobRemoved') return;
      const [, job, , result] = body ?? [];
      this.#jobs.set(String(job), String(result));
      this.#news();
    });
  }

  /**
   * Connects to the first of them where somebody listens, and has the manager tell when jobs are done. Rejects with a {@link CgroupError} of kind `no-systemd`, or with the reason of the signal.
   */
  static async open([socket, ...others]: readonly Socket[], cancelSignal: AbortSignal): Promise<Connection> {
    cancelSignal.throwIfAborted();
    if (!socket) throw new TypeError('no socket is given, by which systemd could be reached');
    let stream: Stream;
    try {
      stream = await connected(socket);
    } catch (error) {
      // The file of a socket stays when nobody listens any more.
      if (others.length > 0) return Connection.open(others, cancelSignal);
      const cause = error as NodeJS.ErrnoException;
      throw new CgroupError(
        'no-systemd',
        `systemd cannot be reached by ${socket.path}: ${cause.message}. Is it running (systemctl status), and may this user ask it?`,
        {
          cause,
        },
      );
    }
    const connection = new Connection(stream, socket, cancelSignal);
    try {
      if (socket.isBus) {
        const rule = `type='signal',sender='${destination}',path='${manager.path}',interface='${manager.interface}',member='JobRemoved'`;
        await connection.#invoke({ ...bus, member: 'AddMatch', signature: 's', body: [rule] });
        await connection.call('Subscribe');
      }
      return connection;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /** Calls a method of the manager; resolves with the first value of its answer. Rejects with a {@link RefusedError} for an error. */
  call(member: string, signature?: string, ...body: unknown[]): Promise<unknown> {
    return this.#invoke({ ...manager, destination, member, ...(signature !== undefined && { signature, body }) });
  }

  /** Resolves with how a job has ended: `done`, or what went wrong. */
  jobResult(job: string): Promise<string> {
    return this.#until((resolve) => {
      this.#news = () => {
        const result = this.#jobs.get(job);
        if (result !== undefined) resolve(result);
      };
      this.#news();
    });
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }

  #invoke(message: Message): Promise<unknown> {
    return this.#until((resolve, reject) => {
      this.#client.invoke(message, (error, ...body) => {
        if (error) reject(error instanceof Error ? error : new RefusedError(error));
        else resolve(body[0]);
      });
    });
  }

  /** Settles by what `act` is told, by the loss of the connection, or by the signal. */
  #until<T>(act: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
    let onAbort: (() => void) | undefined;
    let onLoss: ((error: unknown) => void) | undefined;
    const settled = new Promise<T>((resolve, reject) => {
      if (this.#lost) return reject(this.#lost);
      if (this.#cancelSignal.aborted) return reject(this.#cancelSignal.reason as Error);
      onLoss = reject;
      onAbort = () => reject(this.#cancelSignal.reason as Error);
      this.#waiting.add(onLoss);
      this.#cancelSignal.addEventListener('abort', onAbort);
      act(resolve, reject);
    });
    return settled.finally(() => {
      if (onLoss) this.#waiting.delete(onLoss);
      if (onAbort) this.#cancelSignal.removeEventListener('abort', onAbort);
    });
  }
}

async function connected({ path }: Socket): Promise<Stream> {
  const stream = createConnection(path);
  await once(stream, 'connect');
  return stream;
}
