// node -r loopback.js: whatever listens, listens on 127.0.0.1 only.
const net = require("net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
  if (typeof given[0] === "number" && typeof given[1] !== "string") given.splice(1, 0, "127.0.0.1");
  else if (given[0] && typeof given[0] === "object" && given[0].port != null && !given[0].host) given[0].host = "127.0.0.1";
  return listen.apply(this, given);
};
