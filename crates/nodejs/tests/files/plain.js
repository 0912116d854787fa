const http = require('http');

const answer = `hello ${process.argv[2]} from ${process.env.NODE_ENV} says ${process.env.WORD}\n`;
http.createServer((request, response) => response.end(answer)).listen(3000, '127.0.0.1');
