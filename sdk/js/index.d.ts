import type { Inputs, Outputs } from "./inputs";
export type { Inputs, Outputs };

export type Value = string | number | bigint | boolean | Uint8Array | string[] | Pairs | Record<string, string> | Timestamp | Duration | Double;
export type Fields = Record<string, Value | null | undefined> | [string, Value][];
export type Kind = "text" | "int" | "double" | "boolean" | "bytes" | "timestamp" | "duration" | "pairs" | "texts";

/** Throw it: the plugin has no answer, and the failure policy decides. */
export class Failure extends Error { constructor(message: string, kind?: "invalid-input" | "unavailable" | "internal"); kind: string; }
/** Thrown by everything that asks the host. */
export class Refusal extends Error { code: "denied" | "limited" | "invalid" | "unavailable" | "timeout" | "other"; }
/** Numbers hold nanoseconds of today exactly to about 256 ns. */
export class Timestamp { constructor(ns: number); ns: number; readonly ms: number; toDate(): Date; static fromDate(date: Date): Timestamp; }
export class Duration { constructor(ns: number); ns: number; readonly ms: number; static ms(ms: number): Duration; }
export class Double { constructor(value: number); value: number; }
export class Pairs extends Array<[string, string]> { get(name: string): string | null; all(name: string): string[]; }

export interface HeaderOp { tag: "set" | "append" | "remove"; val: unknown; }
export function set(name: string, value: string): HeaderOp;
export function append(name: string, value: string): HeaderOp;
export function remove(name: string): HeaderOp;
export interface More {
  /** HTTP status of a denial, 200 to 599; 403 unless it is given. */ status?: number;
  /** Body of a denial, for the client. */ message?: string;
  /** For the decision log only. */ reason?: string;
  /** How long an equal request may get this verdict again, and how many may. */ ttlMs?: number; maxUses?: number;
  /** Of the request upstream when allowed, of the answer when denied. */ headers?: HeaderOp[];
  /** For the proxy's other filters and the logs. */ metadata?: Fields;
}
export interface Verdict { decision: "allow" | "deny" | "abstain"; }
export function allow(more?: More): Verdict;
export function deny(reason: string, more?: More): Verdict;
export function abstain(): Verdict;

/** Attributes beyond the inputs: those under [capabilities] attributes. */
export interface Request { get(name: string): unknown | null; }
export interface Life<C> { configure?(config: C): void; selfTest?(): void; tick?(): void; drain?(): void; }
export function defineCheck<C = any>(plugin: Life<C> & { check(inputs: Inputs, request: Request): Verdict | void }): unknown;
export function defineEnrich<C = any>(plugin: Life<C> & { enrich(inputs: Inputs, request: Request): Partial<Outputs> | void }): unknown;
export function defineReport<C = any>(plugin: Life<C> & { report(rows: Iterable<Inputs>): void }): unknown;

type Line = (message: unknown) => void;
export const log: { trace: Line; debug: Line; info: Line; warn: Line; error: Line; enabled(level: string): boolean };
export interface About { help?: string; unit?: string; labels?: string[]; }
export function counter(name: string, about?: About): { add(labels?: unknown[], by?: number): void };
export function histogram(name: string, buckets: number[], about?: About): { observe(labels: unknown[], ...values: number[]): void };
export function emitRecord(record: { body?: string; severity?: "trace" | "debug" | "info" | "warn" | "error" | "fatal"; time?: Timestamp | null; attributes?: Fields; traceId?: string; spanId?: string }): void;
export function emitSpan(span: { traceId: string; spanId: string; parentId?: string; name: string; kind?: "internal" | "server" | "client" | "producer" | "consumer"; start: Timestamp; duration: Duration; attributes?: Fields; status?: "unset" | "ok" | "error"; error?: string }): void;
export function store(name: string): {
  get(key: string): Uint8Array | null; getText(key: string): string | null;
  set(key: string, value: string | Uint8Array, ttlMs?: number): void;
  insert(key: string, value: string | Uint8Array, ttlMs?: number): boolean;
  increment(key: string, by?: number, ttlMs?: number): number; delete(key: string): boolean;
};
export function lookup(table: string, key: string): Record<string, any> | null;
export interface Answer { status: number; headers: Pairs; body: Uint8Array; text(): string; json(): any; header(name: string): string | null; }
export function request(upstream: string, asked?: { method?: string; path?: string; headers?: Record<string, string> | [string, string][]; body?: string | Uint8Array; timeoutMs?: number | null }): Answer;
export function emit(sink: string, payload: string | Uint8Array): void;
export const bindings: { name: string; kind: Kind }[];
export function utf8(text: string): Uint8Array;
export function text(bytes: ArrayLike<number>): string;
