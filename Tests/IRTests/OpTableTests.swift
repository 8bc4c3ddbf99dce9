import Foundation
import IR
import Testing

@Suite struct OpTableTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test func everyOpHasARow() throws {
    for (position, row) in OpTableRow.all.enumerated() {
      let (op, _) = try row.application(.f32)
      #expect(op.tableIndex == position, "\(op.mnemonic) stands in row \(position)")
      let file = Self.root.appending(path: "Sources/IR/Ops/\(row.file).swift")
      let source = try String(contentsOf: file, encoding: .utf8)
      #expect(
        source.contains("\"\(op.mnemonic)\"") || row.file == "Pointwise", "\(op.mnemonic) is not in \(row.file).swift")
    }
  }

  /// The page is what the code says; TFC_RECORD=1 writes it anew.
  @Test func thePageIsWhatTheCodeSays() throws {
    let file = Self.root.appending(path: "docs/ops.md")
    let page = try Self.page()
    if ProcessInfo.processInfo.environment["TFC_RECORD"] == "1" {
      try page.write(to: file, atomically: true, encoding: .utf8)
    }
    let written = try String(contentsOf: file, encoding: .utf8)
    #expect(written == page, "docs/ops.md is not what the code says; TFC_RECORD=1 swift test writes it anew")
  }

  private static func page() throws -> String {
    var text = """
      # The ops

      The op set is StableHLO's, with its names, attributes and constraints
      ([specification](https://github.com/openxla/stablehlo/blob/main/docs/spec.md)), the `chlo` functions that JAX emits, and a
      few of our own under `tfc.`. This page is written from the code by a test (`OpTableTests`, with `TFC_RECORD=1`).

      *Element types* are those that an op takes among the types that are executed: integers are i8 to i64 and ui8 to ui64,
      floats are f16, bf16, f32 and f64, complex are complex64 and complex128. *Pattern* is the access pattern
      (`Semantics`) that fusion and schedules are written against. Every op has `evaluate`, the reference.

      ## Ops

      | op | specification | file in Sources/IR/Ops | element types | pattern | notes |
      |---|---|---|---|---|---|

      """
    for row in OpTableRow.all {
      let (op, operands) = try row.application(.f32)
      let mnemonic = op.tableIndex == 16 ? "functions of elements" : "`\(op.mnemonic)`"
      let types = op.tableIndex == 40 ? "integers" : try elementTypes(row)
      let samples: [Int: ElementType] = [40: .i32, 48: .complex64]
      let sample = try samples[op.tableIndex].map { try row.application($0) } ?? (op, operands)
      let cells = [
        mnemonic, specification(op), "\(row.file).swift", types, try pattern(sample.0, sample.1), row.note,
      ]
      text += "| " + cells.joined(separator: " | ") + " |\n"
    }
    text += """

      ## Functions of elements

      Each is an op that applies it to the elements at each position (`Pointwise`). A new function is a row of
      `ScalarFunction` and a line in each emitter.

      | function | operands | element types of the first operand |
      |---|---|---|

      """
    for function in ScalarFunction.plain + attributed {
      text += "| `\(function.mnemonic)` | \(function.operandCount) | \(elementTypes(function)) |\n"
    }
    return text
  }

  private static let attributed: [ScalarFunction] = [
    .convert(.f32), .reducePrecision(exponentBits: 5, mantissaBits: 10), .compare(.less, .float),
  ]

  private static func specification(_ op: Op) -> String {
    let parts = op.mnemonic.split(separator: ".")
    if op.tableIndex == 16 || parts.first == "tfc" || parts.count == 1 { return "" }
    if parts[0] == "chlo" || parts[0] == "func" || op.mnemonic == "stablehlo.real_dynamic_slice" {
      return "\(parts[0]) dialect"
    }
    return "[\(parts[1])](https://github.com/openxla/stablehlo/blob/main/docs/spec.md#\(parts[1]))"
  }

  private static let executed = ElementType.allCases.filter(\.isExecutable)

  private static func elementTypes(_ row: OpTableRow) throws -> String {
    summary(
      executed.filter { type in
        guard let (op, operands) = try? row.application(type) else { return false }
        return (try? op.inferTypes(operands)) != nil
      })
  }

  private static func elementTypes(_ function: ScalarFunction) -> String {
    summary(
      executed.filter { type in
        var types = [ElementType](repeating: type, count: function.operandCount)
        if case .select = function { types = [type, .f32, .f32] }
        return (try? function.resultType(types)) != nil
      })
  }

  /// The types as kinds where all of a kind are there: `i1, integers, floats`.
  private static func summary(_ types: [ElementType]) -> String {
    if types.count == executed.count { return "all" }
    let kinds: [(String, (ElementType) -> Bool)] = [
      ("i1", \.isBoolean), ("integers", \.isInteger), ("floats", \.isFloat), ("complex", \.isComplex),
    ]
    var parts: [String] = []
    for (name, isOfKind) in kinds {
      let found = types.filter(isOfKind)
      if found.count == executed.count(where: isOfKind) {
        parts.append(name)
      } else {
        parts += found.map(\.description)
      }
    }
    return parts.joined(separator: ", ")
  }

  private static func pattern(_ op: Op, _ operands: [TensorType]) throws -> String {
    if op.tableIndex == 2 { return "movement" }
    let results = try op.inferTypes(operands)
    return switch op.definition.semantics(operands: operands, results: results) {
    case .leaf: "leaf"
    case .position: "position"
    case .pointwise: "pointwise"
    case .movement: "movement"
    case .reduction: "reduction"
    case .contraction: "contraction"
    case .window: "window"
    case .lines: "lines"
    case .scatter: "scatter"
    case .sort: "sort"
    case .control: "control"
    case .opaque: "opaque"
    }
  }
}
