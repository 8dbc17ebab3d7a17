// A PLC directory with its database in memory. Usage: node plc.js PORT, with NODE_PATH naming @did-plc/server.
const { PlcServer, Database, MockDatabase } = require("@did-plc/server");
const db = Database && Database.mock ? Database.mock() : new MockDatabase();
PlcServer.create({ db, port: Number(process.argv[2]) }).start();
