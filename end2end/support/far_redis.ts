import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { freePort } from "./program";

/** A Redis behind a network whose answers may take their time. */
export class FarRedis {
  /** How long each answer is under way. */
  delayMs = 0;
  readonly #redis: ChildProcess;
  readonly #network: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(redis: ChildProcess, redisPort: number) {
    this.#redis = redis;
    this.#network = createServer((near) => this.#connect(near, redisPort));
  }

  static async start(): Promise<FarRedis> {
    const port = await freePort();
    const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    const redis = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of redis.stdout!) if (`${line}`.includes("Ready to accept")) break;
    const far = new FarRedis(redis, port);
    await once(far.#network.listen(0, "127.0.0.1"), "listening");
    return far;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#network.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#sockets.forEach((socket) => socket.destroy());
    this.#network.close();
    const exit = once(this.#redis, "exit");
    this.#redis.kill("SIGKILL");
    await exit;
  }

  #connect(near: Socket, redisPort: number): void {
    const far = createConnection(redisPort, "127.0.0.1");
    near.pipe(far);
    far.on("data", (data) => setTimeout(() => near.writable && near.write(data), this.delayMs));
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      this.#sockets.add(socket);
      // The other end went away, which is what these tests do at their end.
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
