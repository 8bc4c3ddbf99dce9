internal import Codegen
internal import HostRates

extension Target {
  /// The target with the rates of this machine, which are measured now, in less than a tenth of a second; unchanged where
  /// this kind of machine cannot be measured.
  ///
  /// Only reports use it: what is compiled does not depend on what was measured.
  func measured() -> Target {
    var rates = tfc_host_rates()
    let caches = [l1ByteCount, l2ByteCount, l3ByteCount].map { Int64($0) }
    let width = vectorByteCount >= 32 && !hasMultiplyAdd ? 16 : vectorByteCount
    guard tfc_measure_host(Int32(width), caches, tileFormats.isEmpty ? 0 : 1, &rates) == 0 else { return self }
    var target = self
    let perCycle = Double(lanes(byteCount: 4)) * (hasMultiplyAdd ? 2 : 1)
    target.multiplyAddPorts = rates.gigaflops > 1.4 * perCycle * rates.gigahertz ? 2 : 1
    // The clock while vectors are computed, which may be lower than else.
    target.gigahertz = rates.gigaflops / (perCycle * Double(target.multiplyAddPorts))
    target.bandwidths = [rates.bandwidths.0, rates.bandwidths.1, rates.bandwidths.2, rates.bandwidths.3]
    if rates.tile_gigaflops > 0 { target.tileGigaflops = rates.tile_gigaflops }
    return target
  }
}
