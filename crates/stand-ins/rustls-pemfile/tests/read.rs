//! Files in PEM, and what is read of them.

use std::io;

use rustls_pemfile::{Item, certs, private_key, read_all};

/// The sections of a file: a letter for the kind, and the bytes as text.
fn items(file: &str) -> Vec<String> {
    read_all(&mut file.as_bytes()).map(|item| shown(item.as_ref())).collect()
}

fn shown(item: Result<&Item, &io::Error>) -> String {
    let text = |kind: &str, der: &[u8]| format!("{kind} {}", String::from_utf8_lossy(der));
    match item {
        Ok(Item::X509Certificate(der)) => text("certificate", der),
        Ok(Item::SubjectPublicKeyInfo(der)) => text("public", der),
        Ok(Item::Pkcs1Key(key)) => text("pkcs1", key.secret_pkcs1_der()),
        Ok(Item::Pkcs8Key(key)) => text("pkcs8", key.secret_pkcs8_der()),
        Ok(Item::Sec1Key(key)) => text("sec1", key.secret_sec1_der()),
        Ok(Item::Crl(der)) => text("crl", der),
        Ok(Item::Csr(der)) => text("csr", der),
        Ok(_) => "another".to_owned(),
        Err(error) => format!("{:?}: {error}", error.kind()),
    }
}

/// A section whose contents are already in base64: `Zmlyc3Q=` is `first`.
fn section(kind: &str, base64: &str) -> String {
    format!("-----BEGIN {kind}-----\n{base64}\n-----END {kind}-----\n")
}

const FIRST: &str = "Zmlyc3Q=";
const SECOND: &str = "c2Vj\nb25k";

#[test]
fn sections_of_each_kind() {
    let chain = section("CERTIFICATE", FIRST) + &section("CERTIFICATE", SECOND);
    let unknown = section("OPENSSH PRIVATE KEY", FIRST) + &section("ECHCONFIG", FIRST);
    for (file, expected) in [
        (String::new(), vec![]),
        ("no section\n".to_owned(), vec![]),
        (chain.clone(), vec!["certificate first", "certificate second"]),
        (chain.replace('\n', "\r\n"), vec!["certificate first", "certificate second"]),
        (chain.trim_end().to_owned(), vec!["certificate first", "certificate second"]),
        (
            format!(
                "subject: a\n{}issuer: b\n\n{}# end",
                section("CERTIFICATE", FIRST),
                section("PRIVATE KEY", SECOND)
            ),
            vec!["certificate first", "pkcs8 second"],
        ),
        (section("RSA PRIVATE KEY", FIRST), vec!["pkcs1 first"]),
        (section("PRIVATE KEY", FIRST), vec!["pkcs8 first"]),
        (section("EC PRIVATE KEY", FIRST), vec!["sec1 first"]),
        (section("PUBLIC KEY", FIRST), vec!["public first"]),
        (section("X509 CRL", FIRST), vec!["crl first"]),
        (section("CERTIFICATE REQUEST", FIRST), vec!["csr first"]),
        (unknown + &section("CERTIFICATE", FIRST), vec!["certificate first"]),
        (section("CERTIFICATE", ""), vec!["certificate "]),
    ] {
        assert_eq!(items(&file), expected, "{file}");
    }
}

#[test]
fn sections_that_cannot_be_read() {
    let good = section("CERTIFICATE", FIRST);
    for file in [
        section("CERTIFICATE", "Zm?y"),
        section("CERTIFICATE", "Zm=y"),
        section("PRIVATE KEY", "Z"),
        "-----BEGIN CERTIFICATE----\nZmly\n".to_owned(),
    ] {
        let found = items(&(file.clone() + &good));
        assert!(found[0].starts_with("InvalidData: "), "{file}: {found:?}");
        assert_eq!(found[1..], ["certificate first"], "{file}");
    }
    let cut = "-----BEGIN CERTIFICATE-----\nZmly\n";
    let found = items(cut);
    assert!(found.len() == 1 && found[0].starts_with("InvalidData: "), "{found:?}");
    // Pingora takes no certificates of a file that has an error in it.
    assert!(certs(&mut (good + cut).as_bytes()).collect::<io::Result<Vec<_>>>().is_err());
}

#[test]
fn certificates_alone() {
    let key = section("EC PRIVATE KEY", FIRST);
    let file = section("CERTIFICATE", FIRST) + &key + &section("CERTIFICATE", SECOND);
    let found: Vec<_> = certs(&mut file.as_bytes()).map(Result::unwrap).collect();
    assert_eq!(
        found.iter().map(|der| &der[..]).collect::<Vec<_>>(),
        [b"first".as_slice(), b"second"]
    );
    assert_eq!(certs(&mut key.as_bytes()).count(), 0);
}

#[test]
fn the_first_key() {
    let certificate = section("CERTIFICATE", FIRST);
    for kind in ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY"] {
        let file =
            format!("{certificate}{}{}", section(kind, FIRST), section("PRIVATE KEY", SECOND));
        let key = private_key(&mut file.as_bytes()).unwrap().unwrap();
        assert_eq!(key.secret_der(), b"first", "{kind}");
    }
    assert!(private_key(&mut certificate.as_bytes()).unwrap().is_none());
    assert!(private_key(&mut "".as_bytes()).unwrap().is_none());
    assert!(private_key(&mut section("PRIVATE KEY", "?").as_bytes()).is_err());
}

/// A file that cannot be read has an end.
#[test]
fn errors_of_the_reader() {
    struct Broken;
    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    let mut reader = io::BufReader::new(Broken);
    let found: Vec<_> = read_all(&mut reader).map(|item| item.unwrap_err().kind()).collect();
    assert_eq!(found, [io::ErrorKind::PermissionDenied]);
}
