// All that a page of a stranger can do to read another address. Returns what it could read, by how it did.
async (target) => {
  const read = {};
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const within = (promise) => Promise.race([promise, wait(3000)]);
  const attempts = [];
  const attempt = (how, work) => attempts.push((async () => {
    try { read[how] = String(await within(work()) ?? ""); } catch (error) { read[how] = ""; }
  })());
  const text = (options) => async () => (await fetch(target, options)).text();
  attempt("fetch", text({}));
  attempt("fetch with cookies", text({ credentials: "include" }));
  attempt("fetch without CORS", text({ mode: "no-cors" }));
  attempt("fetch from cache", text({ cache: "force-cache" }));
  attempt("fetch without referrer", text({ referrerPolicy: "no-referrer" }));
  attempt("fetch with a header", text({ headers: { "x-any": "1" } }));
  attempt("fetch with htmx's header", text({ headers: { "hx-request": "true" } }));
  attempt("fetch by POST", text({ method: "POST", body: "a=b" }));
  attempt("its headers", async () => [...(await fetch(target)).headers].join());
  attempt("XMLHttpRequest", () => new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.onload = () => done(request.responseText);
    request.onerror = fail;
    request.open("GET", target);
    request.send();
  }));
  attempt("EventSource", () => new Promise((done, fail) => {
    const source = new EventSource(target);
    source.onmessage = (event) => done(event.data);
    source.onerror = () => { source.close(); fail(); };
  }));
  attempt("WebSocket", () => new Promise((done, fail) => {
    const socket = new WebSocket(target.replace("http", "ws"));
    socket.onmessage = (event) => done(event.data);
    socket.onopen = () => done("opened");
    socket.onerror = fail;
  }));
  attempt("module", async () => Object.keys(await import(target)));
  attempt("worker", () => new Promise((done, fail) => {
    const code = `try { importScripts(${JSON.stringify(target)}); postMessage("ran") } catch (e) { postMessage("") }`;
    const worker = new Worker(URL.createObjectURL(new Blob([code])));
    worker.onmessage = (event) => done(event.data);
    worker.onerror = fail;
  }));
  const element = (name, attributes, look) => () => new Promise((done, fail) => {
    const made = Object.assign(document.createElement(name), attributes);
    made.onload = () => { try { done(look(made)); } catch (error) { fail(error); } };
    made.onerror = fail;
    document.body.append(made);
  });
  const inside = (made) => made.contentDocument?.documentElement.outerHTML ?? "";
  attempt("script", element("script", { src: target }, () => "ran"));
  attempt("stylesheet", element("link", { rel: "stylesheet", href: target }, (made) => made.sheet.cssRules.length));
  attempt("image", element("img", { src: target }, (made) => made.width));
  attempt("frame", element("iframe", { src: target }, inside));
  attempt("frame in a sandbox", element("iframe", { src: target, sandbox: "allow-same-origin allow-scripts" }, inside));
  attempt("object", element("object", { data: target, type: "text/html" }, inside));
  attempt("embed", element("embed", { src: target, type: "text/html" }, () => ""));
  attempt("window", async () => {
    const opened = open(target);
    await wait(1500);
    try { return opened.document.documentElement.outerHTML; } finally { opened.close(); }
  });
  attempt("frames of a window", async () => {
    const opened = open(target);
    await wait(1500);
    const told = opened.closed ? "" : `frames: ${opened.length}`;
    opened.close();
    return told;
  });
  await Promise.all(attempts);
  return read;
}
