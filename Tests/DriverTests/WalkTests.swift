import Foundation
import Testing

@testable import Driver

/// `docs/walk.md`: one small function at every station of its way. With `TFC_RECORD` set the page is written anew.
@Suite struct WalkTests {
  private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "docs/walk.md")

  private static let graph: String = {
    let rows = (0..<3).map { row in
      "[" + (0..<16).map { "\(Double((row * 16 + $0 * 7) % 11) / 4 - 1)" }.joined(separator: ", ") + "]"
    }
    let bias = (0..<16).map { "\(Double($0 % 4) / 2)" }.joined(separator: ", ")
    return """
      func.func @main(%x: tensor<2x3xf32>) -> tensor<2x16xf32> {
        %w = stablehlo.constant dense<[
          \(rows.joined(separator: ",\n    "))]> : tensor<3x16xf32>
        %b = stablehlo.constant dense<[\(bias)]> : tensor<16xf32>
        %zero = stablehlo.constant dense<0.0> : tensor<2x16xf32>
        %product = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x16xf32>) -> tensor<2x16xf32>
        %bias = stablehlo.broadcast_in_dim %b, dims = [1] : (tensor<16xf32>) -> tensor<2x16xf32>
        %sum = stablehlo.add %product, %bias : tensor<2x16xf32>
        %relu = stablehlo.maximum %sum, %zero : tensor<2x16xf32>
        return %relu : tensor<2x16xf32>
      }

      """
  }()

  /// What the tool writes for the graph, by the kind of output.
  private func emitted(_ kind: String, _ fixture: borrowing Fixture) throws -> String {
    let outcome = try fixture.tfc(
      "compile", "dense.mlir", "--cpu", "x86-64-v4", "--emit", kind, "-o", "dense.\(kind)")
    #expect(outcome.code == 0, Comment(rawValue: outcome.error))
    return try String(contentsOfFile: fixture.path("dense.\(kind)"), encoding: .utf8)
  }

  /// The lines from the first that contains `start` to the next that contains `end`.
  private func excerpt(_ text: String, from start: String, to end: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let first = lines.firstIndex(where: { $0.contains(start) }) else { return "" }
    let last = lines[first...].firstIndex { $0.contains(end) } ?? lines.count - 1
    return lines[first...last].joined(separator: "\n")
  }

  private func written(_ fixture: borrowing Fixture) throws -> String {
    try fixture.write(Self.graph, "dense.mlir")
    let compiled = try fixture.tfc(
      "compile", "dense.mlir", "--cpu", "x86-64-v4", "-o", "libdense.so", "--dump-after=fusion", "--explain")
    #expect(compiled.code == 0, Comment(rawValue: compiled.error))
    let dump = compiled.error.components(separatedBy: "\n}\n")
    let header = try String(contentsOfFile: fixture.path("libdense.h"), encoding: .utf8)
    let kernels = try emitted("kernels", fixture)
    let llvm = excerpt(try emitted("llvm", fixture), from: "define", to: "ret void")
    let assembly = excerpt(try emitted("asm", fixture), from: "vbroadcastss", to: "retq")
    return """
      # The walk: relu(x·w + b) from text to machine code

      One dense layer at each station of its way through the compiler. `TFC_RECORD=1 swift test --filter WalkTests` writes
      this page; the test fails when the compiler does something else. The processor is pinned: `--cpu x86-64-v4`.

      ## 1. The graph, `dense.mlir`

      ```mlir
      \(Self.graph.trimmingCharacters(in: .newlines))
      ```

      ## 2. After the passes: `--dump-after=fusion`

      The four ops that compute are one kernel around its anchor, the product. The splat zero moved into it; the weights and
      the bias stay outside, as operands.

      ```mlir
      \(dump[0].trimmingCharacters(in: .newlines))
      }
      ```

      Why, says `--explain`:

      ```
      \(dump.dropFirst().joined(separator: "\n}\n").trimmingCharacters(in: .newlines))
      ```

      ## 3. The kernel: `--emit kernels`

      The contraction schedule chose a register tile of two rows and one vector of 16 columns. The weights lie in `panels`,
      packed at compile time in the order in which they are read. Bias and relu are done on the accumulators.

      ```
      \(kernels.trimmingCharacters(in: .newlines))
      ```

      ## 4. LLVM IR: `--emit llvm` (the kernel)

      Emitting decides nothing; LLVM has unrolled the depth of three and kept what does not change in registers.

      ```llvm
      \(llvm)
      ```

      ## 5. Machine code: `--emit asm` (the kernel's arithmetic)

      ```asm
      \(assembly)
      ```

      ## 6. What a program includes: `libdense.h`

      ```c
      \(header.trimmingCharacters(in: .newlines))
      ```

      """
  }

  @Test func pageShowsWhatTheCompilerDoes() throws {
    let fixture = try Fixture()
    let text = try written(fixture)
    if ProcessInfo.processInfo.environment["TFC_RECORD"] != nil {
      try text.write(to: Self.page, atomically: true, encoding: .utf8)
    }
    let recorded = try String(contentsOf: Self.page, encoding: .utf8)
    #expect(recorded == text, "docs/walk.md is not what the compiler does; record it anew and read the difference")
  }
}
