import Glibc
import Testing

@testable import Webhooks

@Suite("The address guard")
struct AddressGuardTests {
    /// Each an address of an inner or special network, or a spelling that somebody reads as one; as hosts in `https://…/`.
    static let forbiddenHosts = """
        127.0.0.1 127.0.0.2 127.255.255.254 127.1 127.0.1 127.0.0.01 0127.0.0.1 0177.0.0.1 0177.0.0.01 0x7f.0.0.1 0x7f.1 0x7F000001 0x7f000001 2130706433 017700000001
        00000177.0.0.1 127.0.0.0x1 127.0.0x1 1.0x7f 0 0.0.0.0 0.0 0.1.2.3 00.0.0.0 0x0 10.0.0.1 10.255.255.255 10.1 012.0.0.1 0xa.0.0.1 167772161 100.64.0.1 100.127.255.255
        169.254.169.254 169.254.0.1 169.16689662 0xa9fea9fe 0251.0376.0251.0376 2852039166 169.254.43518 172.16.0.1 172.31.255.255 172.1048577 192.0.0.1 192.0.0.171 192.0.2.1
        192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.168.1 192.168.255.255 0xc0a80001 3232235521 030052000001 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7
        203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 4294967295 0xffffffff 037777777777 4294967296 256.0.0.1 1.2.3.4.5 1.2.3 1..2.3 .127.0.0.1 127.0.0.1.
        [::] [::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::0001] [::127.0.0.1] [::7f00:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:7F00:0001]
        [0:0:0:0:0:ffff:7f00:1] [::ffff:10.0.0.1] [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [::ffff:192.168.0.1] [::ffff:0:127.0.0.1] [::ffff:0:7f00:1] [64:ff9b::7f00:1]
        [64:ff9b::127.0.0.1] [64:ff9b:1::7f00:1] [64:ff9b::a9fe:a9fe] [2002:7f00:1::] [2002:7f00:0001::1] [2002:a9fe:a9fe::] [2002:c0a8:1::1] [2001::1] [2001:0:7f00:1::]
        [2001:10::1] [2001:db8::1] [2001:DB8:0:0::1] [2620:4f:8000::1] [3fff::1] [fc00::1] [fd00::1] [fd12:3456:789a::1] [fdff:ffff::1] [fe80::1] [fe80::1%25eth0] [fe80::1%eth0] [febf::1]
        [fec0::1] [ff02::1] [ff0e::1] [100::1] [100:0:0:1::1] [5f00::1] [4000::1] [e000::1] [::1]. [::1%25lo] [0:0:0:0:0:0:0:0:1] [v1.fe80::1] ::1 127。0。0。1 １２７.0.0.1 ①②⑦.0.0.1 127%2e0.0.1 %31%32%37.0.0.1
        localhost LOCALHOST localhost. foo.localhost localhost.localdomain printer printer.local metadata.google.internal router.home.arpa nas.lan wiki.corp db.intranet a.home
        hidden.onion x.test x.invalid user@exemple.coop user:secret@exemple.coop 127.0.0.1@exemple.coop exemple.coop@127.0.0.1 exemple.coop\\@127.0.0.1 exemple.coop:22 exemple.coop:80
        exemple.coop:8443 exemple.coop:0 exemple.coop:0443 exemple.coop:+443 exemple.coop:443443 exemple.coop:4:43 exemple.coop:443:22 exemple.coop: -exemple.coop exemple-.coop exemple..coop
        exa_mple.coop exämple.coop exemple.coop#@127.0.0.1 exemple.coop\\127.0.0.1 exemple.coop%00.127.0.0.1 exemple.coop%2f@127.0.0.1 *.coop
        """.split { $0 == " " || $0 == "\n" }.map(String.init)

    @Test("has more than 100 spellings to refuse")
    func hasEnough() { #expect(Set(Self.forbiddenHosts).count >= 100) }

    @Test("refuses what leads inside, in every spelling", arguments: forbiddenHosts)
    func refuses(host: String) { #expect(AddressGuard.strict.refusal(of: "https://\(host)/") != nil) }

    static let forbiddenURLs = [
        "", "https", "https:", "https://", "https:///", "https:exemple.coop", "https:/exemple.coop", "//exemple.coop/", "/hook", "http://exemple.coop/", "ftp://exemple.coop/",
        "file:///etc/passwd", "gopher://exemple.coop:25/", "dict://127.0.0.1:11211/", "ldap://127.0.0.1/", "javascript:alert(1)", "data:,x", "unix:///run/x.sock", "ws://exemple.coop/",
        " https://exemple.coop/", "https://exemple.coop/ x", "https://exemple.coop/\r\nHost: x", "https://exemple.coop/\t", "https://exemple.coop/#x", "https://exemple.coop/<a>",
        "https://" + String(repeating: "a", count: 64) + ".coop/", "https://" + String(repeating: "a.", count: 127) + "coop/", "https://exemple.coop/" + String(repeating: "a", count: 2000),
        "https://?x", "https://#", "https://@/", "https://:443/", "https://[/", "https://]/", "https://[]/", "https://[::1/", "https://[exemple.coop]/", "https://[2a00:1450::1]x/",
    ]

    @Test("refuses what is no plain https address", arguments: forbiddenURLs)
    func refuses(url: String) { #expect(AddressGuard.strict.refusal(of: url) != nil) }

    static let permitted = [
        "https://exemple.coop", "https://exemple.coop/", "https://hooks.exemple.coop:443/a/b?c=d&e=f", "HTTPS://EXEMPLE.COOP/x", "https://xn--exmple-cva.coop/", "https://93.184.216.34/",
        "https://[2a00:1450:4007:80e::2003]/", "https://a-b.exemple.coop/~x/%20", "https://exemple.coop?x=1", "https://9gag.com/", "https://172.32.0.1/", "https://100.128.0.1/", "https://11.0.0.1/",
    ]

    @Test("permits public ones", arguments: permitted)
    func permits(url: String) { #expect(AddressGuard.strict.refusal(of: url) == nil) }

    // MARK: Settings

    @Test("permits what a setting names, at its ports, also without TLS")
    func allows() throws {
        let allowing = try #require(AddressGuard(allowing: "10.1.0.0/16:8443, 127.0.0.2/32:*,[fd00::]/8:443,192.168.7.7:80"))
        for url in [
            "https://10.1.2.3:8443/", "http://10.1.2.3:8443/", "http://127.0.0.2/", "https://127.0.0.2:9999/", "https://[fd12::1]/", "http://[::ffff:127.0.0.2]:81/", "http://192.168.7.7/",
            "https://exemple.coop/", "https://printer.local:8443/",
        ] { #expect(allowing.refusal(of: url) == nil, "\(url)") }
        for url in ["https://10.1.2.3/", "https://10.2.0.1:8443/", "http://127.0.0.1/", "https://[fd12::1]:8443/", "http://192.168.7.8/", "https://u@127.0.0.2/"] {
            #expect(allowing.refusal(of: url) != nil, "\(url)")
        }
    }

    @Test("takes no setting that it cannot read whole", arguments: [
        "x", "10.0.0.0/8", "10.0.0.0/33:*", "10.0.0.0/-1:*", "10.0.0.0/8:0", "10.0.0.0/8:65536", "10.0.0.0/8:http", "010.0.0.0/8:*", "localhost:80", "10.0.0.0/8:*,x", "::/0", "10.0.0.0/8/8:1", ":", ":*",
    ])
    func refusesSetting(text: String) { #expect(AddressGuard(allowing: text) == nil) }

    // MARK: At connecting

    @Test("looks at the very address of a socket, wrapped or not")
    func sockets() throws {
        func four(_ text: String, port: UInt16) -> (address: IPAddress, port: UInt16)? {
            var socket = sockaddr_in()
            socket.sin_family = sa_family_t(AF_INET)
            socket.sin_port = port.bigEndian
            inet_pton(AF_INET, text, &socket.sin_addr)
            return withUnsafePointer(to: &socket) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { IPAddress.read($0, length: MemoryLayout<sockaddr_in>.size) } }
        }
        func six(_ text: String, port: UInt16, length: Int = MemoryLayout<sockaddr_in6>.size) -> (address: IPAddress, port: UInt16)? {
            var socket = sockaddr_in6()
            socket.sin6_family = sa_family_t(AF_INET6)
            socket.sin6_port = port.bigEndian
            inet_pton(AF_INET6, text, &socket.sin6_addr)
            return withUnsafePointer(to: &socket) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { IPAddress.read($0, length: length) } }
        }
        func isPermitted(_ target: (address: IPAddress, port: UInt16)?, isPlain: Bool = false) throws -> Bool {
            let (address, port) = try #require(target)
            return AddressGuard.strict.permits(address, port: port, isPlain: isPlain)
        }
        #expect(try isPermitted(four("93.184.216.34", port: 443)))
        #expect(try isPermitted(six("2a00:1450:4007:80e::2003", port: 443)))
        #expect(try !isPermitted(four("93.184.216.34", port: 443), isPlain: true))
        #expect(try !isPermitted(four("93.184.216.34", port: 22)))
        for text in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1"] { #expect(try !isPermitted(four(text, port: 443)), "\(text)") }
        for text in ["::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fe80::1", "fd00::1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1", "ff02::1", "::127.0.0.1"] {
            #expect(try !isPermitted(six(text, port: 443)), "\(text)")
        }
        #expect(try isPermitted(six("::ffff:93.184.216.34", port: 443)))
        #expect(six("::1", port: 443, length: 16) == nil)
        var other = sockaddr()
        other.sa_family = sa_family_t(AF_UNIX)
        #expect(IPAddress.read(&other, length: MemoryLayout<sockaddr>.size) == nil)
    }
}
