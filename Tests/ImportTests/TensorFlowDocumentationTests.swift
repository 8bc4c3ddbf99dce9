import Foundation
import Testing

@testable import ImportTensorFlow

@Suite struct TensorFlowDocumentationTests {
  /// `docs/tensorflow.md` lists every op, and no other.
  @Test func opsAreDocumented() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent("docs/tensorflow.md"), encoding: .utf8)
    let list = text.components(separatedBy: "## Ops").last ?? ""
    let documented = Set(list.split { $0 == "`" || $0.isWhitespace }.map { String($0) })
    #expect(documented == Operator.names)
  }
}
