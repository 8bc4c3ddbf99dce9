import Foundation
import Passes
import Testing

@Suite struct DocumentationTests {
  /// The table in `docs/passes.md` names every pass, with its purpose, in the order they run.
  @Test func tableNamesEveryPass() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent("docs/passes.md"), encoding: .utf8)
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
    #expect(rows.map(String.init) == Pass.all.map { "| `\($0.name)` | \($0.purpose) |" })
  }
}
