import { expect, test } from 'vitest';
import { turnServers } from '../../../src/client/transport/turn-servers.ts';

const login = { username: 'u', credential: 'c' };

test('TURN URLs are read in their order, with their defaults', () => {
  const servers = turnServers([
    { urls: ['stun:stun.example.org'] },
    { urls: ['turn:a.example.org', 'turn:a.example.org:80?transport=tcp'], ...login },
    { urls: ['turns:[2001:db8::1]', 'turns:b.example.org:443?transport=tcp'], ...login },
  ]);
  expect(servers.map(({ host, port, transport }) => [host, port, transport])).toEqual([
    ['a.example.org', 3478, 'udp'],
    ['a.example.org', 80, 'tcp'],
    ['2001:db8::1', 5349, 'tls'],
    ['b.example.org', 443, 'tls'],
  ]);
});

test('servers without credentials and URLs that make no sense are left out', () => {
  const urls = [
    'turn:',
    'turn:a:b',
    'turn:a:0',
    'turn:a:99999',
    'http://a',
    'turn:a?transport=sctp',
    'turn:a b',
  ];
  expect(turnServers([{ urls: ['turn:a.example.org'] }, { urls, ...login }])).toEqual([]);
});
