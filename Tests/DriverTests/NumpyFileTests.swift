import IR
import Testing

@testable import Driver

@Suite struct NumpyFileTests {
  /// A file as NumPy writes it.
  private func file(_ header: String, _ elements: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let text = Array((header + "\n").utf8)
    let length = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + elements
  }

  private func refusal(_ bytes: [UInt8]) -> String {
    do {
      _ = try NumpyFile(file: bytes)
      return "read"
    } catch {
      return error.diagnostics.first?.message ?? ""
    }
  }

  @Test(arguments: ElementType.allCases) func everyTypeComesBack(_ type: ElementType) throws {
    let scalars: [Scalar] = [0, 1, 1, 0, 1, 1].map { .integer($0) }
    for dimensions in [[2, 3], [6], [1, 6, 1]] {
      let literal = Literal(type, dimensions, scalars)
      let read = try NumpyFile(file: NumpyFile(literal).fileBytes)
      #expect(read.dimensions == dimensions)
      #expect(try read.literal(type) == literal)
    }
  }

  @Test func scalarsAndEmptyTensorsComeBack() throws {
    let scalar = Literal(.f64, [], [.real(-0.0)])
    #expect(try NumpyFile(file: NumpyFile(scalar).fileBytes).literal(.f64) == scalar)
    let empty = Literal(.i32, [3, 0, 2], bytes: [])
    #expect(try NumpyFile(file: NumpyFile(empty).fileBytes).literal(.i32) == empty)
    let splat = Literal(.f32, [4], splat: .real(2.5))
    #expect(try NumpyFile(file: NumpyFile(splat).fileBytes).literal(.f32) == splat.expanded)
  }

  @Test func headersAreNumPysOwn() {
    let bytes = NumpyFile(Literal(.f32, [3], [.real(1), .real(2), .real(3)])).fileBytes
    let header = String(decoding: bytes[10..<128], as: UTF8.self)
    #expect(header.hasPrefix("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), } "))
    #expect(header.hasSuffix(" \n"))
    #expect(bytes.count == 128 + 12)
  }

  @Test func otherVersionsAndOrdersAreRead() throws {
    let header = "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }"
    let elements: [UInt8] = [1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0]
    for version: UInt8 in 1...3 {
      let literal = try NumpyFile(file: file(header, elements, version: version)).literal(.i16)
      #expect(literal.scalars == (1...6).map { .integer($0) })
    }
    let big = "{\"descr\": '>i4', 'shape': (2L,), 'fortran_order': False}"
    let read = try NumpyFile(file: file(big, [0, 0, 1, 2, 255, 255, 255, 255])).literal(.i32)
    #expect(read.scalars == [.integer(258), .integer(-1)])
    let complex = "{'descr': '>c8', 'fortran_order': False, 'shape': ()}"
    let value = try NumpyFile(file: file(complex, [0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0])).literal(.complex64)
    #expect(value.scalars == [.complex(1, -2)])
  }

  @Test func fortranOrderOfRankThree() throws {
    // Element (i, j, k) is 100 i + 10 j + k.
    var elements: [UInt8] = []
    for k in 0..<4 { for j in 0..<3 { for i in 0..<2 { elements.append(UInt8(100 * i + 10 * j + k)) } } }
    let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4)}"
    let literal = try NumpyFile(file: file(header, elements)).literal(.ui8)
    #expect(literal[1 * 12 + 2 * 4 + 3] == .integer(123))
    #expect(literal[0 * 12 + 1 * 4 + 2] == .integer(12))
  }

  @Test func bitsAreReadAsTheGraphSays() throws {
    let header = "{'descr': '<V2', 'fortran_order': False, 'shape': (1,)}"
    #expect(try NumpyFile(file: file(header, [0x80, 0x3F])).literal(.bf16)[0] == .real(1))
    let byte = "{'descr': '|V1', 'fortran_order': False, 'shape': (1,)}"
    #expect(try NumpyFile(file: file(byte, [0x38])).literal(.f8E4M3FN)[0] == .real(1))
    let small = "{'descr': '|i1', 'fortran_order': False, 'shape': (2,)}"
    #expect(try NumpyFile(file: file(small, [0xF8, 7])).literal(.i4).scalars == [.integer(-8), .integer(7)])
    #expect(throws: Failure.self) { try NumpyFile(file: file(small, [8, 7])).literal(.i4) }
    #expect(throws: Failure.self) { try NumpyFile(file: file(small, [8, 7])).literal(.ui8) }
    let truth = "{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}"
    #expect(try NumpyFile(file: file(truth, [0, 200])).literal(.i1).bytes == [0, 1])
  }

  @Test func hostileFilesGetSentences() {
    let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
    #expect(refusal([]) == "it is not a .npy file")
    #expect(refusal(Array("PK\u{3}\u{4}0000000000".utf8)) == "it is not a .npy file")
    #expect(refusal(file(good, [0, 0, 0], version: 1)).contains("3 bytes follow the header, expected 8"))
    #expect(refusal(file(good, [UInt8](repeating: 0, count: 9))).contains("9 bytes follow"))
    #expect(refusal(file(good, [], version: 9)).contains("version 9.0"))
    #expect(refusal([0x93] + Array("NUMPY".utf8) + [1, 0, 255, 255, 32]) == "the header is cut off")
    #expect(refusal([0x93] + Array("NUMPY".utf8) + [2, 0, 255, 255]) == "the header is cut off")
    let shapes = [
      "(-1,)": "extent -1", "(4294967296, 4294967296, 4294967296)": "more elements", "(2, 'a')": "no 'shape'",
      "(1e9,)": "broken", "5": "no 'shape'",
    ]
    for (shape, sentence) in shapes {
      #expect(refusal(file("{'descr': '<f4', 'fortran_order': False, 'shape': \(shape)}", [])).contains(sentence))
    }
    for type in ["<U4", "|O", "<f3", "<f16", "f", "", "<M8[ns]"] {
      #expect(refusal(file("{'descr': '\(type)', 'fortran_order': False, 'shape': ()}", [])).contains("is not read"))
    }
    let structured = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}"
    #expect(refusal(file(structured, [])).contains("structured"))
    for header in ["", "{", "{'descr'}", "[1, 2]", "{'descr': '<f4'", "{'descr': '<f4'} x", "{'a", "(((((", "\u{0}"] {
      #expect(refusal(file(header, [])) != "read")
    }
    #expect(refusal(file(String(repeating: "(", count: 60000), [])).contains("broken"))
  }
}
