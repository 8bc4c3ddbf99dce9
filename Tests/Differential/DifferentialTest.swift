import Foundation
import IR

/// `differential-test COUNT SEED [--target cpu|opencl]`: compares `evaluate` with compiled code, fused and unfused, on random graphs.
///
/// Each graph follows from its seed: SEED, SEED + 1, …. The last line is `N passed, N failed`.
@main
enum DifferentialTest {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let numbers = arguments.prefix(2).compactMap { UInt64($0) }
    let options = arguments.dropFirst(2)
    guard numbers.count == 2, options.isEmpty || (options.count == 2 && options.first == "--target"),
      let backend = try Backend(target: options.last ?? "cpu")
    else {
      print("usage: differential-test COUNT SEED [--target cpu|opencl]")
      exit(2)
    }
    let end = numbers[1] + numbers[0]
    var comparison = Comparison()
    var failures: Set<UInt64> = []
    for start in stride(from: numbers[1], to: end, by: 25) {
      let seeds = start..<min(start + 25, end)
      // On standard error, so that the batch is known where a graph crashes.
      FileHandle.standardError.write(Data("seeds \(seeds.lowerBound) to \(seeds.upperBound - 1)\n".utf8))
      let batch: Batch
      do { batch = try Batch(seeds: seeds) } catch {
        print("seeds \(seeds) cannot be made: \(error)")
        failures.formUnion(seeds)
        continue
      }
      for fuses in [false, true] {
        report(check(batch, backend, fuses, &comparison), backend, &failures)
      }
    }
    print(
      "\(comparison.equalCount) elements with the same bits, \(comparison.boundedCount) within their bounds (at most "
        + "\(Int((comparison.largestPart * 100).rounded()))% of it), \(comparison.skippedCount) undecided")
    print("\(Int(numbers[0]) - failures.count) passed, \(failures.count) failed")
    exit(failures.isEmpty ? 0 : 1)
  }

  private static func check(_ batch: Batch, _ backend: Backend, _ fuses: Bool, _ comparison: inout Comparison)
    -> [String]
  {
    do { return try batch.check(backend, fuses: fuses, &comparison) } catch {
      guard batch.parts.count == 1 else {
        var sentences: [String] = []
        for single in batch.single { sentences += check(single, backend, fuses, &comparison) }
        return sentences.isEmpty ? batch.parts.map { "seed \($0.seed) in its batch: \(error)" } : sentences
      }
      return ["seed \(batch.parts[0].seed) \(fuses ? "fused" : "unfused"): \(error)"]
    }
  }

  private static func report(_ sentences: [String], _ backend: Backend, _ failures: inout Set<UInt64>) {
    for sentence in sentences {
      print(sentence)
      let words = sentence.split(separator: " ")
      guard words.count > 1, let seed = UInt64(words[1]), failures.insert(seed).inserted else { continue }
      var ignored = Comparison()
      // The first value that is wrong, where showing all of them does not hide the mistake.
      guard let batch = try? Batch.withAllValues(seed: seed) else { continue }
      for line in check(batch, backend, false, &ignored) { print("  \(line)") }
    }
  }
}
