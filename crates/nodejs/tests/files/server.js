const http = require('http');
const greeting = require('greeting');

http
  .createServer((request, response) => response.end(greeting(process.env.WORD) + '\n'))
  .listen(Number(process.env.PORT), '127.0.0.1');
