/** All workloads by name. */
import { faasZygote } from "./zygote.js";
import { httpServer, nginxWorkers } from "./servers.js";
import { redisSnapshot } from "./redis.js";
import { shellPipeline } from "./shell.js";
import { sqliteReader } from "./sqlite.js";
import type { Workload } from "./workload.js";

export const workloads: readonly Workload[] = [
  redisSnapshot,
  nginxWorkers,
  faasZygote,
  sqliteReader,
  httpServer,
  shellPipeline,
];
