// What rounding, comparing and narrowing make of zeros with signs, infinities, NaN and subnormal numbers.
func.func @main(%s: tensor<f32>) -> (tensor<11xf32>, tensor<11xf32>, tensor<11xf16>, tensor<11xbf16>, tensor<11xi32>, tensor<11xui8>, tensor<11xf8E5M2>, tensor<11xf32>, tensor<11xf32>, tensor<11xf32>) {
  %x = stablehlo.constant dense<[0.0, -0.0, 0x7F800000, 0xFF800000, 0x7FC00000, 1.0e-40, -1.0e-45, 65519.0, 65520.0, -2.5, 3.0e38]> : tensor<11xf32>
  %y = stablehlo.constant dense<[-0.0, 0.0, 1.0, 0xFF800000, 2.0, -1.0e-40, 0x7FC00000, 0x7F800000, 3.0, -1.5, -0.0]> : tensor<11xf32>
  %none = stablehlo.subtract %s, %s : tensor<f32>
  %zero = stablehlo.broadcast_in_dim %none, dims = [] : (tensor<f32>) -> tensor<11xf32>
  %same = stablehlo.compare EQ, %zero, %zero : (tensor<11xf32>, tensor<11xf32>) -> tensor<11xi1>
  %a = stablehlo.select %same, %x, %zero : tensor<11xi1>, tensor<11xf32>
  %b = stablehlo.select %same, %y, %zero : tensor<11xi1>, tensor<11xf32>
  %0 = stablehlo.maximum %a, %b : tensor<11xf32>
  %1 = stablehlo.minimum %a, %b : tensor<11xf32>
  %2 = stablehlo.convert %a : (tensor<11xf32>) -> tensor<11xf16>
  %3 = stablehlo.convert %a : (tensor<11xf32>) -> tensor<11xbf16>
  %4 = stablehlo.convert %a : (tensor<11xf32>) -> tensor<11xi32>
  %5 = stablehlo.convert %a : (tensor<11xf32>) -> tensor<11xui8>
  %6 = stablehlo.convert %a : (tensor<11xf32>) -> tensor<11xf8E5M2>
  %7 = stablehlo.round_nearest_even %a : tensor<11xf32>
  %8 = stablehlo.sign %a : tensor<11xf32>
  %9 = stablehlo.multiply %a, %b : tensor<11xf32>
  return %0, %1, %2, %3, %4, %5, %6, %7, %8, %9 : tensor<11xf32>, tensor<11xf32>, tensor<11xf16>, tensor<11xbf16>, tensor<11xi32>, tensor<11xui8>, tensor<11xf8E5M2>, tensor<11xf32>, tensor<11xf32>, tensor<11xf32>
}
