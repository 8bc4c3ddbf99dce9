import Foundation
import IR
import Passes
import RandomGraphs
import Testing

/// One `.mlir` file: passes, their input, and the text they make of it.
///
///     // pass: canonicalize
///     func.func @main(…) …
///     // count: fusion 1
///     // expect:
///     func.func @main(…) …
///
/// With `TFC_RECORD` set, the expected text is written instead of compared.
struct PassCase {
  let url: URL
  let passes: [Pass]
  let input: String
  /// How many ops with a mnemonic that ends so the result has, regions included.
  let counts: [(mnemonic: String, count: Int)]
  let expected: String

  static var all: [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    return files.filter { $0.hasSuffix(".mlir") }.sorted()
  }

  private static var directory: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases")
  }

  init(_ name: String) throws {
    url = Self.directory.appendingPathComponent(name)
    let text = try String(contentsOf: url, encoding: .utf8)
    var passes: [Pass] = []
    var counts: [(mnemonic: String, count: Int)] = []
    var input: [Substring] = []
    var expected: [Substring] = []
    var isExpected = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("// pass:") {
        for word in line.dropFirst(8).split(whereSeparator: { $0 == " " || $0 == "," }) {
          passes.append(try #require(Pass.all.first { $0.name == word }, "no pass is named \(word)"))
        }
      } else if line.hasPrefix("// count:") {
        let words = line.dropFirst(9).split(separator: " ")
        counts.append((String(words[0]), try #require(Int(words[1]))))
      } else if line.hasPrefix("// expect:") {
        isExpected = true
      } else if isExpected {
        expected.append(line)
      } else {
        input.append(line)
      }
    }
    (self.passes, self.counts) = (passes, counts)
    self.input = input.joined(separator: "\n").trimmingCharacters(in: .newlines)
    self.expected = expected.joined(separator: "\n").trimmingCharacters(in: .newlines)
  }

  func result() throws -> Module {
    var module = try Module(parsing: input, fileName: url.lastPathComponent)
    var pipeline = PassPipeline(passes)
    pipeline.verifies = true
    for position in module.functions.indices {
      module.functions[position] = try pipeline.run(module.functions[position], in: module).function
    }
    return module.removingLocations()
  }

  func record(_ found: String) throws {
    var text = "// pass: \(passes.map(\.name).joined(separator: ", "))\n\(input)\n"
    for count in counts { text += "// count: \(count.mnemonic) \(count.count)\n" }
    try (text + "// expect:\n\(found)\n").write(to: url, atomically: true, encoding: .utf8)
  }
}

@Suite struct CaseTests {
  @Test(arguments: PassCase.all) func textInTextOut(_ name: String) throws {
    let pass = try PassCase(name)
    let module = try pass.result()
    let found = module.functions.map { $0.irText() }.joined().trimmingCharacters(in: .newlines)
    for (mnemonic, count) in pass.counts {
      #expect(module.functions.reduce(0) { $0 + $1.graph.count(of: mnemonic) } == count, "\(name): \(mnemonic)")
    }
    if ProcessInfo.processInfo.environment["TFC_RECORD"] != nil { return try pass.record(found) }
    #expect(found == pass.expected, "\(name)")
  }

  /// The input and the result have the same values, to the last bit unless the file's name ends in `_rounded`.
  @Test(arguments: PassCase.all) func meaningStays(_ name: String) throws {
    let pass = try PassCase(name)
    let before = try Module(parsing: pass.input, fileName: name)
    let after = try pass.result()
    for (old, new) in zip(before.functions, after.functions) where old.graph.parameterTypes.allSatisfy(\.hasFixedShape)
    {
      let arguments = RandomGraph.arguments(for: old.graph, seed: 7)
      let (expected, found) = (try old.evaluate(arguments, in: before), try new.evaluate(arguments, in: after))
      if name.hasSuffix("_rounded.mlir") {
        #expect(areClose(expected, found), "\(name) @\(old.name)")
      } else {
        #expect(haveSameBits(expected, found), "\(name) @\(old.name)")
      }
    }
  }
}

/// Whether two lists of literals agree within a few units in the last place of f32 of their largest element.
private func areClose(_ a: [Literal], _ b: [Literal]) -> Bool {
  zip(a, b).allSatisfy { x, y in
    let finite = x.scalars.map(\.realValue).filter(\.isFinite).map(\.magnitude).max() ?? 0
    return zip(x.scalars, y.scalars).allSatisfy { p, q in
      let (u, v) = (p.realValue, q.realValue)
      return u == v || u.isNaN && v.isNaN || (u - v).magnitude <= 1e-5 * max(finite, 1e-30)
    }
  }
}

extension Graph {
  fileprivate func count(of mnemonic: String) -> Int {
    nodes.reduce(0) { sum, node in
      let here = node.op.mnemonic.hasSuffix(mnemonic) ? 1 : 0
      return sum + here + node.op.definition.regions.reduce(0) { $0 + $1.count(of: mnemonic) }
    }
  }
}
