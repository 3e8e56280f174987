// Vercel's AI SDK in TypeScript's world, with a model of its own that answers without a network.
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { embed, generateText, streamText } from "ai";
import { MockEmbeddingModelV3, MockLanguageModelV3, simulateReadableStream } from "ai/test";

const provider = new NodeTracerProvider({
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();
const usage = {
  inputTokens: { total: 120, noCache: 20, cacheRead: 100, cacheWrite: 0 },
  outputTokens: { total: 30, text: 30, reasoning: 0 },
};
const finishReason = { unified: "stop", raw: "stop" };
const model = new MockLanguageModelV3({
  provider: "openai.chat",
  modelId: "gpt-4o",
  doGenerate: async () => ({
    content: [{ type: "text", text: "Fine." }],
    finishReason,
    usage,
    warnings: [],
    response: { id: "chatcmpl-of-the-tests", modelId: "gpt-4o-2024-08-06" },
  }),
  doStream: async () => ({
    stream: simulateReadableStream({
      chunks: [
        { type: "text-start", id: "1" },
        { type: "text-delta", id: "1", delta: "Fine." },
        { type: "text-end", id: "1" },
        { type: "finish", finishReason, usage },
      ],
    }),
  }),
});
const telemetry = { isEnabled: true, functionId: "forecast", metadata: { userId: "ada", team: "search" } };
const asked = { model, prompt: "How is the weather in Vienna?", experimental_telemetry: telemetry };
await generateText(asked);
await streamText(asked).consumeStream();
await embed({
  model: new MockEmbeddingModelV3({
    provider: "openai.embedding",
    modelId: "text-embedding-3-small",
    doEmbed: async () => ({ embeddings: [[0.1, 0.2]], usage: { tokens: 2 }, warnings: [] }),
  }),
  value: "Vienna",
  experimental_telemetry: telemetry,
});
await provider.shutdown();
