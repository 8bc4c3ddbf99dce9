import Foundation
import IR

/// Compares `evaluate` with compiled code, fused and unfused:
///
///     differential-test COUNT SEED [--target cpu|opencl] [--device FILE]
///     differential-test GRAPH.mlir... [--target cpu|opencl] [--device FILE]
///     differential-test ... --triple TRIPLE [--cpu CPU] --run COMMAND
///
/// With `--triple` libraries are made for another machine, and COMMAND runs Tests/Sanitizers/guarded.c there. Random graphs
/// follow from their seeds SEED, SEED + 1, …, and have no f64 where the device has none; graphs in files are compared fused
/// only. The last line is `N passed, N failed`.
@main
enum DifferentialTest {
  static func main() throws {
    var words: [String] = []
    var options: [String: String] = [:]
    var rest = CommandLine.arguments.dropFirst()
    while let word = rest.popFirst() {
      if word.hasPrefix("--") { options[word] = rest.popFirst() ?? "" } else { words.append(word) }
    }
    let numbers = words.compactMap { UInt64($0) }
    guard !words.isEmpty, numbers.isEmpty || numbers.count == words.count && numbers.count == 2,
      Set(options.keys).isSubset(of: ["--target", "--device", "--triple", "--cpu", "--run"]),
      let backend = try Backend(options)
    else {
      print(
        "usage: differential-test COUNT SEED | GRAPH.mlir... [--target cpu|opencl] [--device FILE] "
          + "[--triple TRIPLE [--cpu CPU] --run COMMAND]")
      exit(2)
    }
    var comparison = Comparison()
    let (count, failedCount) =
      numbers.isEmpty
      ? (words.count, compareFiles(words, backend, &comparison))
      : (Int(numbers[0]), compareSeeds(numbers[1]..<(numbers[1] + numbers[0]), backend, &comparison))
    print(
      "\(comparison.equalCount) elements with the same bits, \(comparison.boundedCount) within their bounds (at most "
        + "\(Int((comparison.largestPart * 100).rounded()))% of it), \(comparison.skippedCount) undecided")
    print("\(count - failedCount) passed, \(failedCount) failed")
    exit(failedCount == 0 ? 0 : 1)
  }

  /// Compares the graphs of these seeds, some at a time; returns how many differ.
  private static func compareSeeds(_ all: Range<UInt64>, _ backend: Backend, _ comparison: inout Comparison) -> Int {
    var failures: Set<UInt64> = []
    for start in stride(from: all.lowerBound, to: all.upperBound, by: 25) {
      let seeds = start..<min(start + 25, all.upperBound)
      // On standard error, so that the batch is known where a graph crashes.
      FileHandle.standardError.write(Data("seeds \(seeds.lowerBound) to \(seeds.upperBound - 1)\n".utf8))
      let batch: Batch
      do { batch = try Batch(seeds: seeds, hasF64: backend.hasF64) } catch {
        print("seeds \(seeds) cannot be made: \(error)")
        failures.formUnion(seeds)
        continue
      }
      for fuses in [false, true] {
        report(check(batch, backend, fuses, &comparison), backend, &failures)
      }
    }
    return failures.count
  }

  /// Compares the graphs in files; returns how many differ.
  private static func compareFiles(_ paths: [String], _ backend: Backend, _ comparison: inout Comparison) -> Int {
    paths.count { path in
      do {
        let batch = try Batch(path: path)
        let sentences = check(batch, backend, true, &comparison)
        for sentence in sentences { print(sentence) }
        return !sentences.isEmpty
      } catch {
        print("\(path): \(error)")
        return true
      }
    }
  }

  private static func check(_ batch: Batch, _ backend: Backend, _ fuses: Bool, _ comparison: inout Comparison)
    -> [String]
  {
    do { return try batch.check(backend, fuses: fuses, &comparison) } catch {
      guard batch.parts.count == 1 else {
        var sentences: [String] = []
        for single in batch.single { sentences += check(single, backend, fuses, &comparison) }
        return sentences.isEmpty ? batch.parts.map { "\($0.name) in its batch: \(error)" } : sentences
      }
      return ["\(batch.parts[0].name) \(fuses ? "fused" : "unfused"): \(error)"]
    }
  }

  private static func report(_ sentences: [String], _ backend: Backend, _ failures: inout Set<UInt64>) {
    for sentence in sentences {
      print(sentence)
      let words = sentence.split(separator: " ")
      guard words.count > 1, let seed = UInt64(words[1]), failures.insert(seed).inserted else { continue }
      var ignored = Comparison()
      // The first value that is wrong, where showing all of them does not hide the mistake.
      guard let batch = try? Batch.withAllValues(seed: seed, hasF64: backend.hasF64) else { continue }
      for line in check(batch, backend, false, &ignored) { print("  \(line)") }
    }
  }
}
