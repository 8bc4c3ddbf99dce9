import Foundation
import Testing

@testable import ImportONNX

@Suite struct ONNXDocumentationTests {
  /// `docs/onnx.md` lists every op, and no other.
  @Test func opsAreDocumented() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent("docs/onnx.md"), encoding: .utf8)
    let list = text.components(separatedBy: "## Ops").last ?? ""
    let documented = Set(list.split { $0 == "`" || $0.isWhitespace }.map { String($0) })
    #expect(documented == Operator.names)
  }
}
